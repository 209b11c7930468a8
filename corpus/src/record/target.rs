//! A target: one URL to fetch, with everything that wants its image.

use std::io::{self, Read, Write};

use crate::Id;
use crate::column::record;
use crate::sort::{Row, read_text, write_text};
use crate::stream::Stream;

/// Who wants which URL, in the order of URLs.
pub const USES: Stream<Wanted> = Stream::new("uses");
/// The fetch list.
pub const TARGETS: Stream<Target> = Stream::new("targets");
/// What failed for a reason that may pass, which the next pass reads.
pub const RETRY: Stream<Target> = Stream::new("retry");

record! {
    /// A pair or a page slot that uses an image.
    #[derive(Eq, PartialOrd, Ord)]
    pub struct Use {
        /// The pair's or page's id.
        pub id: Id,
        /// Position of the image among the page's images, from 0; 0 for a pair.
        pub slot: u16,
        /// The caption; only for pairs.
        pub caption: Option<String>,
        /// The source's own id of the pair, if it has one.
        pub key: Option<String>,
        /// Digest of the image's bytes, as stated by the pair's source.
        pub digest: Option<String>,
        /// Further columns of the pair, as a JSON object.
        pub extra: Option<String>,
    }
}

impl Use {
    /// Returns the use of an image by a place of a page.
    pub fn of_slot(id: Id, slot: u16) -> Self {
        Self { id, slot, caption: None, key: None, digest: None, extra: None }
    }

    /// Returns the use of an image by a pair of which nothing else is known.
    pub fn of_pair(id: Id, caption: String) -> Self {
        Self { id, slot: 0, caption: Some(caption), key: None, digest: None, extra: None }
    }
}

record! {
    /// A URL of the fetch list; fetched once, however often it is used.
    pub struct Target in "target/2" {
        /// 128-bit hash of the canonical URL. The list is sorted by it, which shuffles it.
        pub key: [u8; 16],
        /// The URL.
        pub url: String,
        /// The uses of the image, sorted by (id, slot).
        pub uses: Vec<Use>,
    }
}

record! {
    /// A pair or page slot with the URL that it uses, before the list is built.
    #[derive(Eq, PartialOrd, Ord)]
    pub struct Wanted in "wanted/1" {
        /// 128-bit hash of the canonical URL.
        pub key: [u8; 16],
        /// The canonical URL.
        pub url: String,
        /// The pair or page slot.
        pub place: Use,
    }
}

impl Row for Wanted {
    fn memory_bytes(&self) -> usize {
        let Use { caption, key, digest, extra, .. } = &self.place;
        let texts = [caption, key, digest, extra].into_iter().flatten();
        size_of::<Self>() + self.url.len() + texts.map(String::len).sum::<usize>()
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Use { id, slot, caption, key, digest, extra } = &self.place;
        out.write_all(&self.key)?;
        write_text(out, Some(&self.url))?;
        out.write_all(&id.to_bits().to_le_bytes())?;
        out.write_all(&slot.to_le_bytes())?;
        [caption, key, digest, extra].into_iter().try_for_each(|text| write_text(out, text.as_deref()))
    }

    fn read(input: &mut impl Read) -> io::Result<Self> {
        let (mut hash, mut id, mut slot) = ([0; 16], [0; 8], [0; 2]);
        input.read_exact(&mut hash)?;
        let url = read_text(input)?.unwrap_or_default();
        input.read_exact(&mut id)?;
        input.read_exact(&mut slot)?;
        let (id, slot) = (Id::from_bits(u64::from_le_bytes(id)), u16::from_le_bytes(slot));
        let (caption, key) = (read_text(input)?, read_text(input)?);
        let (digest, extra) = (read_text(input)?, read_text(input)?);
        Ok(Self { key: hash, url, place: Use { id, slot, caption, key, digest, extra } })
    }
}
