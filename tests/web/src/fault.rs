//! A fault: one way in which an image URL fails, or looks as if it did.

use crate::drawing::{Drawing, Format};

/// Hosts that serve pairs' images.
pub(crate) const IMAGE_HOSTS: [&str; 4] =
    ["img0.shapes.example", "img1.shapes.example", "img2.shapes.example", "img3.shapes.example"];
/// Host whose mirror is a closed port.
pub(crate) const GONE_HOST: &str = "gone.example";

/// Addresses that no client may fetch from because a record says so.
const REFUSED_HOSTS: [&str; 10] = [
    "127.0.0.1",
    "10.0.0.5",
    "192.168.1.1",
    "169.254.169.254",
    "[::1]",
    "localhost",
    "0x7f000001",
    "2130706433",
    "127.1",
    "[::ffff:10.0.0.5]",
];

/// One way in which a pair's image URL fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    NotFound,
    Forbidden,
    Gone,
    ServerError,
    Connect,
    Stall,
    Drip,
    Truncated,
    RedirectLoop,
    RedirectToMetadata,
    Address,
    UrlInvalid,
    Scheme,
    TooLarge,
    Html,
    Empty,
    Broken,
    Bomb,
}

/// Every fault with its share of the images per mille. Stalls and drips are planted by
/// [`slow_count`], because each costs a client its whole deadline.
pub(crate) const SHARES: [(Fault, u32); 16] = [
    (Fault::NotFound, 20),
    (Fault::Forbidden, 10),
    (Fault::Gone, 10),
    (Fault::ServerError, 3),
    (Fault::Connect, 10),
    (Fault::Truncated, 5),
    (Fault::RedirectLoop, 5),
    (Fault::RedirectToMetadata, 2),
    (Fault::Address, 8),
    (Fault::UrlInvalid, 8),
    (Fault::Scheme, 8),
    (Fault::TooLarge, 2),
    (Fault::Html, 10),
    (Fault::Empty, 5),
    (Fault::Broken, 10),
    (Fault::Bomb, 3),
];

/// The faults that the server plays, by folder. The others are URLs that no client
/// gets to ask the server for.
const FOLDERS: [(Fault, &str); 14] = [
    (Fault::NotFound, "404"),
    (Fault::Forbidden, "403"),
    (Fault::Gone, "410"),
    (Fault::ServerError, "500"),
    (Fault::Stall, "stall"),
    (Fault::Drip, "drip"),
    (Fault::Truncated, "truncated"),
    (Fault::RedirectLoop, "loop"),
    (Fault::RedirectToMetadata, "metadata"),
    (Fault::TooLarge, "large"),
    (Fault::Html, "html"),
    (Fault::Empty, "empty"),
    (Fault::Broken, "broken"),
    (Fault::Bomb, "bomb"),
];

/// Gives how many stalls, and how many drips, a world of `images` images has: four,
/// or fewer in a small one.
pub(crate) fn slow_count(images: u32) -> u32 {
    (images / 500).clamp(1, 4)
}

impl Fault {
    /// Names the reason by which a client records it.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::NotFound => "http_404",
            Self::Forbidden => "http_403",
            Self::Gone => "http_410",
            Self::ServerError => "http_500",
            Self::Connect => "connect",
            Self::Stall | Self::Drip => "timeout",
            Self::Truncated => "body_truncated",
            Self::RedirectLoop => "redirect_limit",
            Self::RedirectToMetadata | Self::Address => "address_refused",
            Self::UrlInvalid => "url_invalid",
            Self::Scheme => "scheme_refused",
            Self::TooLarge => "body_too_large",
            Self::Html | Self::Empty => "not_an_image",
            Self::Broken => "image_broken",
            Self::Bomb => "pixels_too_many",
        }
    }

    /// Finds the fault that the server plays for the folder `name`.
    pub(crate) fn from_folder(name: &str) -> Option<Self> {
        FOLDERS.iter().find(|(_, folder)| *folder == name).map(|(fault, _)| *fault)
    }

    fn folder(self) -> Option<&'static str> {
        FOLDERS.iter().find(|(fault, _)| *fault == self).map(|(_, folder)| *folder)
    }

    /// Writes the `index`-th URL of this fault; no two indexes share one.
    pub(crate) fn url(self, index: u32) -> String {
        let name = format!("{index:08}.png");
        if let Some(folder) = self.folder() {
            return format!("https://{}/f/{folder}/{name}", image_host(index));
        }
        match self {
            Self::Address => format!("http://{}/{name}", choose(&REFUSED_HOSTS, index)),
            Self::UrlInvalid => match index % 5 {
                0 => format!("http://?{name}"),
                1 => format!("https://[::1/{name}"),
                2 => format!("images/{name}"),
                3 => format!("http://exa<>mple/{name}"),
                _ => format!("https://img0.shapes.example:99999/{name}"),
            },
            Self::Scheme => match index % 3 {
                0 => format!("ftp://img0.shapes.example/{name}"),
                1 => format!("data:image/png;name={name};base64,iVBORw0KGgo="),
                _ => format!("file:///srv/images/{name}"),
            },
            _ => format!("https://{GONE_HOST}/{name}"),
        }
    }
}

/// One way to a good image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// The image itself.
    Straight,
    /// A redirect with this status: 301 and 307 name an absolute URL on another
    /// host, 302 a relative one.
    Redirect(u16),
    /// The image with a content type that is not an image's.
    WrongType,
}

/// Every detour with its share of the images per mille.
pub(crate) const ROUTES: [(Route, u32); 4] = [
    (Route::Redirect(301), 10),
    (Route::Redirect(302), 10),
    (Route::Redirect(307), 5),
    (Route::WrongType, 10),
];

impl Route {
    /// Writes the URL of the image `index` by this route.
    pub(crate) fn url(self, index: u32, drawing: &Drawing) -> String {
        let host = image_host(index);
        let name = image_name(index, drawing.format());
        match self {
            Self::Straight => format!("https://{host}/i/{name}"),
            Self::Redirect(status) => format!("https://{host}/r/{status}/{name}"),
            Self::WrongType => format!("https://{host}/t/{name}"),
        }
    }
}

/// Names the host that serves the image `index`.
pub(crate) fn image_host(index: u32) -> &'static str {
    choose(&IMAGE_HOSTS, index)
}

/// Names the file of image `index`.
pub(crate) fn image_name(index: u32, format: Format) -> String {
    format!("{index:08}.{}", format.extension())
}

/// Reads an image's file name back.
pub(crate) fn parse_image_name(name: &str) -> Option<(u32, Format)> {
    let (number, extension) = name.split_once('.')?;
    let format = match extension {
        "png" => Format::Png,
        "jpg" => Format::Jpeg,
        _ => return None,
    };
    let index = number.parse().ok()?;
    (image_name(index, format) == name).then_some((index, format))
}

fn choose<const N: usize>(list: &[&'static str; N], index: u32) -> &'static str {
    list[index as usize % N]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn invalid_urls_do_not_parse_and_all_others_do() {
        for (fault, _) in SHARES {
            for index in 0..30 {
                let url = fault.url(index);
                let parsed = url::Url::parse(&url);
                assert_eq!(parsed.is_err(), fault == Fault::UrlInvalid, "{url}");
            }
        }
    }

    #[test]
    fn urls_of_faults_stay_distinct_when_canonical() {
        let mut seen = BTreeSet::new();
        for (fault, _) in SHARES {
            for index in 0..100 {
                let url = fault.url(index);
                let canonical = url::Url::parse(&url).map_or(url, |url| url.to_string());
                assert!(seen.insert(canonical));
            }
        }
    }

    #[test]
    fn only_the_written_form_of_an_image_name_is_read() {
        assert_eq!(parse_image_name("00000012.png"), Some((12, Format::Png)));
        for name in ["12.png", "+0000012.png", "00000012.gif", "00000012.png.jpg", "", "."] {
            assert_eq!(parse_image_name(name), None, "{name}");
        }
    }
}
