//! The kind of a JPEG: which decoder reads it right.
//!
//! The common decoder (zune-jpeg) is the fastest in Rust, and wrong without saying so about sequential files
//! of several scans (in narrow ones without subsampling, too), about colour that has more samples than brightness, and about colours
//! that a component's id and Adobe's segment name differently. Those kinds are read by another one
//! (jpeg-decoder), which is wrong about others. What neither reads right is refused by name.
//! `tests/golden/jpeg.py` holds all kinds against Pillow.

use jpeg_decoder::ColorTransform;

use super::outline::{Adobe, Frame, Outline};

/// The marker of a frame of JPEG-LS (ITU T.87).
pub(super) const JPEG_LS: u8 = 0xF7;
/// Markers of frames that are compressed by cosine transforms and Huffman codes: baseline, extended,
/// progressive.
const SEQUENTIAL: [u8; 2] = [0xC0, 0xC1];
const PROGRESSIVE: u8 = 0xC2;
const LOSSLESS: u8 = 0xC3;
/// Ids of components by which libjpeg knows RGB.
const RGB_IDS: [u8; 3] = *b"RGB";

/// Which decoder reads a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Kind {
    /// The image library's.
    Common,
    /// The one for odd files, told how colours are stored.
    Odd(ColorTransform),
    /// None: the name of what it is.
    Unread(&'static str),
}

impl Outline<'_> {
    /// Returns the kind of the file, decided by headers alone.
    pub(in super::super) fn kind(&self) -> Kind {
        // Without a frame the common decoder says what is missing.
        let Some(frame) = &self.frame else { return Kind::Common };
        if let Some(name) = unread(frame) {
            return Kind::Unread(name);
        }
        if matches!(self.adobe, Adobe::Transform(3..)) {
            return Kind::Unread("image/jpeg (unknown colours)");
        }
        let colours = self.colours(frame);
        if self.frame_count == 1 && self.has_common_scans() && self.has_common_colours(frame) {
            return Kind::Common;
        }
        if self.has_fractions(frame) {
            Kind::Unread("image/jpeg (sampled by fractions)")
        } else {
            Kind::Odd(colours)
        }
    }

    /// Whether the file is compressed without loss: no decoder makes it smaller on the way.
    pub(in super::super) fn is_lossless(&self) -> bool {
        self.frame.as_ref().is_some_and(|frame| frame.marker == LOSSLESS)
    }

    /// Whether only the first component has more than one sample per unit, and a sequential file is one
    /// scan. It is so without a frame, which is no scan's fault.
    pub(in super::super) fn has_common_scans(&self) -> bool {
        let Some(frame) = &self.frame else { return true };
        let [first, others @ ..] = &frame.components[..] else { return true };
        let is_single = |component: &super::outline::Component| (component.across, component.down) == (1, 1);
        let is_power = |factor: u8| matches!(factor, 1 | 2 | 4);
        let in_one_scan = self.first_scan == frame.components.len();
        others.iter().all(is_single)
            && is_power(first.across)
            && is_power(first.down)
            && (frame.marker == PROGRESSIVE || in_one_scan)
    }

    fn has_common_colours(&self, frame: &Frame) -> bool {
        let has_rgb_ids = has_rgb_ids(frame);
        match (frame.components.len(), self.adobe) {
            (_, Adobe::Cut) | (4, Adobe::Transform(1)) => false,
            (3, Adobe::Transform(0)) => !self.is_jfif,
            (3, Adobe::Absent) => !(has_rgb_ids && self.is_jfif),
            (3, Adobe::Transform(_)) => !has_rgb_ids,
            (count, _) => matches!(count, 1 | 4),
        }
    }

    /// Returns how colours are stored, as libjpeg decides it.
    fn colours(&self, frame: &Frame) -> ColorTransform {
        match (frame.components.len(), self.adobe) {
            (1, _) => ColorTransform::Grayscale,
            (3, _) if self.is_jfif => ColorTransform::YCbCr,
            (3, Adobe::Transform(0)) => ColorTransform::RGB,
            (3, Adobe::Absent | Adobe::Cut) if has_rgb_ids(frame) => ColorTransform::RGB,
            (3, _) => ColorTransform::YCbCr,
            (4, Adobe::Absent | Adobe::Cut | Adobe::Transform(0)) => ColorTransform::CMYK,
            (4, _) => ColorTransform::YCCK,
            _ => ColorTransform::Unknown,
        }
    }

    /// Whether a sample stands for a fraction of a pixel that is not one over a whole number, or a component
    /// that has some samples but not the most is in a scan to itself: the decoder for odd files takes the
    /// units at the edges for part of such scans.
    fn has_fractions(&self, frame: &Frame) -> bool {
        let (across, down) = frame.most();
        let is_between = |factor: u8, most: u8| factor > 1 && factor < most;
        frame.components.iter().any(|component| {
            let is_whole = |factor: u8, most: u8| most.checked_rem(factor) == Some(0);
            let is_fraction = !is_whole(component.across, across) || !is_whole(component.down, down);
            let is_between = is_between(component.across, across) || is_between(component.down, down);
            is_fraction || (is_between && self.alone.contains(&component.id))
        })
    }
}

/// Returns the name of a coding process that is not read.
fn unread(frame: &Frame) -> Option<&'static str> {
    Some(match frame.marker {
        JPEG_LS => "image/jls",
        LOSSLESS => "image/jpeg (lossless)",
        0xC9..=0xCB => "image/jpeg (arithmetic coding)",
        marker if marker != PROGRESSIVE && !SEQUENTIAL.contains(&marker) => "image/jpeg (hierarchical)",
        _ if frame.precision == 12 => "image/jpeg (12 bits)",
        _ => return None,
    })
}

fn has_rgb_ids(frame: &Frame) -> bool {
    frame.components.iter().map(|component| component.id).eq(RGB_IDS)
}
