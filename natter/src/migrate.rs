//! `natter migrate`: brings a database to this version's schema.

use natter_migrations::{MigrateError, Migrated};

use crate::exit::{Exit, Failure};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The PostgreSQL database, with user and password: postgres://user:password@host:5432/natter
    #[arg(long, env = "NATTER_POSTGRES_URL", value_name = "URL", hide_env_values = true)]
    postgres_url: String,
}

pub async fn run(options: Options) -> Result<(), Failure> {
    let Migrated { from, to } = migrate(&options.postgres_url).await?;
    if from == to {
        println!("The database is at version {to} already.");
    } else {
        println!("The database went from version {from} to version {to}.");
    }
    Ok(())
}

/// Migrates, with the exit code that fits what went wrong.
pub async fn migrate(url: &str) -> Result<Migrated, Failure> {
    natter_migrations::migrate(url).await.map_err(|error| {
        let exit = match &error {
            MigrateError::Database(_) => Exit::Unreachable,
            MigrateError::Different(_) => Exit::HalfInitialised,
            MigrateError::Change(_) | MigrateError::Locked => Exit::Other,
        };
        Failure::caused_by(exit, &error)
    })
}
