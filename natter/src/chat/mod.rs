mod files;

pub use files::state_folder;
