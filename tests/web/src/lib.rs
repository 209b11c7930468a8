//! A small web, made from a seed, in the public sources' own formats and layouts, and
//! served over HTTP on loopback: what the sample run and the black-box tests download.
//!
//! [`World::new`] makes the files of the Pile, two Common Crawl snapshots, LAION-2B,
//! LAION-400M, COYO-700M, CC3M and CC12M, and draws the images they name when asked.
//! [`Server`] serves them; [`Server::mirrors`] says where each public host is to be
//! found. Between the good items lie planted ones: duplicates, other languages, spam,
//! broken lines and members, and every way in which an image URL fails. [`Truth`] says
//! what is expected of a pipeline that reads it all.
//!
//! Same config, same bytes; a path is always answered alike, however often and in
//! whatever order it is asked for.

mod config;
mod crawl;
mod drawing;
mod fault;
mod gallery;
mod page;
mod pairs;
mod pile;
mod prose;
mod random;
mod server;
mod table;
mod truth;
mod tsv;
mod warc;
mod world;

pub use config::{Config, DOCUMENTS_DEFAULT, IMAGES_DEFAULT, PAGES_DEFAULT};
pub use pile::KEPT_SETS;
pub use server::Server;
pub use truth::{Counts, DocumentRef, NearDuplicate, Page, Truth};
pub use tsv::LINE_BYTES_MAX;
pub use world::World;
