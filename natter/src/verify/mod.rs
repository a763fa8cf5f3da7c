//! `natter verify`: is what is stored what it has to be?

pub mod read_models;

use crate::exit::Failure;
use crate::place::Place;

#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
}

pub async fn run(options: Options) -> Result<(), Failure> {
    read_models::run(&options.place).await
}
