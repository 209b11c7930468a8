//! The gallery: what is answered where an image is asked for, good or faulty.

use bytes::Bytes;
use rand::RngExt;

use crate::crawl::page_drawing;
use crate::drawing::{Format, PAGE_HEIGHT, PAGE_WIDTH, PAIR_SIDE, png};
use crate::fault::{Fault, image_host, image_name, parse_image_name};
use crate::pairs::pair_drawing;
use crate::random::stream;

/// Sides of a page image that the image rules call too small.
const SMALL_SIDES: (u32, u32) = (40, 32);

/// A transparent GIF of one pixel, as trackers use.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\
\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01D\x00;";
/// A web page that claims to be an image.
const NOT_AN_IMAGE: &[u8] = b"<!DOCTYPE html><html><body><p>This image has moved.</p></body></html>";
/// Side that [`Fault::Bomb`] announces.
pub(crate) const BOMB_SIDE: u32 = 65_500;

/// What the server answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// Status 200 with these bytes.
    Content { content_type: &'static str, bytes: Bytes },
    /// A redirect.
    Redirect { status: u16, location: String },
    /// Another status with a short text.
    Status(u16),
    /// Nothing, for ever.
    Stall,
    /// The bytes, one a second.
    Drip(Bytes),
    /// The first half of the bytes under the `Content-Length` of all, then the end.
    Truncated(Bytes),
    /// A body of 100 MB.
    Large,
}

impl Answer {
    /// Answers with bytes under status 200.
    pub(crate) fn content(content_type: &'static str, bytes: Bytes) -> Self {
        Self::Content { content_type, bytes }
    }
}

/// Draws the images of the world `seed`; knows nothing else, so that a path is always
/// answered alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gallery {
    pub(crate) seed: u64,
}

impl Gallery {
    /// Answers for pairs' images: `i` the image, `t` under another type, `r` by a
    /// redirect, `f` a fault.
    pub(crate) fn pair_image(&self, segments: &[&str]) -> Option<Answer> {
        let name = segments.last()?;
        let (index, format) = parse_image_name(name)?;
        if let ["f", folder, _] = segments {
            return Some(self.fault(Fault::from_folder(folder)?, index));
        }
        if format != pair_drawing(self.seed, index).format() {
            return None;
        }
        let next_host = image_host(index.wrapping_add(1));
        match segments {
            ["i", _] => Some(Answer::content(format.content_type(), self.pair_bytes(index)?)),
            ["t", _] if index % 2 == 0 => Some(Answer::content("text/html", self.pair_bytes(index)?)),
            ["t", _] => Some(Answer::content("application/octet-stream", self.pair_bytes(index)?)),
            ["r", "302", _] => Some(redirect(302, format!("../../i/{name}"))),
            ["r", "301", _] => Some(redirect(301, format!("https://{next_host}/i/{name}"))),
            ["r", "307", _] => Some(redirect(307, format!("https://{next_host}/i/{name}"))),
            _ => None,
        }
    }

    fn pair_bytes(&self, index: u32) -> Option<Bytes> {
        let drawing = pair_drawing(self.seed, index);
        drawing.encode(PAIR_SIDE, PAIR_SIDE).ok().map(Bytes::from)
    }

    fn fault(&self, fault: Fault, index: u32) -> Answer {
        let image = || {
            let pixels = pair_drawing(self.seed, index).paint(PAIR_SIDE, PAIR_SIDE);
            png(&pixels, PAIR_SIDE, PAIR_SIDE).map(Bytes::from).unwrap_or_default()
        };
        match fault {
            Fault::Forbidden => Answer::Status(403),
            Fault::Gone => Answer::Status(410),
            Fault::ServerError => Answer::Status(500),
            Fault::Stall => Answer::Stall,
            Fault::Drip => Answer::Drip(image()),
            Fault::Truncated => Answer::Truncated(image()),
            Fault::RedirectLoop => redirect(302, image_name(index, Format::Png)),
            Fault::RedirectToMetadata => redirect(302, "http://169.254.169.254/latest/meta-data/".to_owned()),
            Fault::TooLarge => Answer::Large,
            Fault::Html => Answer::content("image/jpeg", Bytes::from_static(NOT_AN_IMAGE)),
            Fault::Empty => Answer::content("image/png", Bytes::new()),
            Fault::Broken => {
                let image = image();
                Answer::content("image/png", image.slice(..image.len() / 2))
            }
            Fault::Bomb => Answer::content("image/png", bomb()),
            Fault::NotFound | Fault::Connect | Fault::Address | Fault::UrlInvalid | Fault::Scheme => {
                Answer::Status(404)
            }
        }
    }

    /// Answers for pages' images: `p` good ones, `s` small, `c` of one colour, and
    /// `static` those outside the main text.
    pub(crate) fn page_image(&self, segments: &[&str]) -> Option<Answer> {
        let (folder, name) = match segments {
            [folder, name] => (*folder, *name),
            _ => return None,
        };
        if folder == "static" {
            return self.static_image(name);
        }
        let (index, format) = parse_image_name(name)?;
        let drawing = page_drawing(self.seed, index);
        if format != drawing.format() {
            return None;
        }
        let bytes = match folder {
            "p" => drawing.encode(PAGE_WIDTH, PAGE_HEIGHT).ok()?,
            "s" => drawing.encode(SMALL_SIDES.0, SMALL_SIDES.1).ok()?,
            "c" => {
                // Always PNG, whatever the name says: one colour must stay one colour.
                return Some(Answer::content(
                    "image/png",
                    self.plain("page colour", index, PAGE_WIDTH, PAGE_HEIGHT)?,
                ));
            }
            _ => return None,
        };
        Some(Answer::content(format.content_type(), bytes.into()))
    }

    /// Answers for the images outside the main text.
    fn static_image(&self, name: &str) -> Option<Answer> {
        let (width, height, index) = match name {
            "pixel.gif" => return Some(Answer::content("image/gif", Bytes::from_static(PIXEL))),
            "logo.png" => (48, 16, 0),
            "icon-mail.png" => (16, 16, 1),
            "icon-feed.png" => (16, 16, 2),
            "thumb-0.png" => (40, 40, 3),
            "thumb-1.png" => (40, 40, 4),
            "thumb-2.png" => (40, 40, 5),
            "thumb-3.png" => (40, 40, 6),
            _ => return None,
        };
        Some(Answer::content("image/png", self.plain("static", index, width, height)?))
    }

    /// Fills an image with one colour.
    fn plain(&self, name: &str, index: u32, width: u32, height: u32) -> Option<Bytes> {
        let colour: [u8; 3] = stream(self.seed, name, u64::from(index)).random();
        let pixels = colour.repeat((width * height) as usize);
        png(&pixels, width, height).ok().map(Bytes::from)
    }
}

fn redirect(status: u16, location: String) -> Answer {
    Answer::Redirect { status, location }
}

/// Writes a PNG of a few bytes whose header announces 65,500 x 65,500 pixels.
fn bomb() -> Bytes {
    let side = BOMB_SIDE.to_be_bytes();
    // Eight bits, RGB, no interlacing.
    let header = [side.as_slice(), &side, &[8, 2, 0, 0, 0]].concat();
    // The zlib stream of nothing.
    let data = [0x78, 0x9c, 3, 0, 0, 0, 0, 1];
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, body) in [(b"IHDR", header.as_slice()), (b"IDAT", &data), (b"IEND", &[])] {
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(body);
        bytes.extend((body.len() as u32).to_be_bytes());
        bytes.extend(kind);
        bytes.extend(body);
        bytes.extend(crc.sum().to_be_bytes());
    }
    bytes.into()
}
