//! Damaged images of every format, decoded by a child process whose memory is bounded: whatever bytes come, they
//! give pixels or a reason.
//!
//! `KOSMOS_FUZZ_SECS=3600 cargo test --release -p images mutated -- --nocapture` goes on for an hour.

use std::process::Command;
use std::time::{Duration, Instant};

use super::*;

/// Variable by which a process of this test binary becomes the one that decodes.
const CHILD: &str = "KOSMOS_FUZZ_IMAGES";
/// Bytes that it may hold beside what it begins with: the pixels of [`MUTATED_PIXELS_MAX`] a few times over.
const MEMORY_BYTES: u64 = 200 << 20;
const MUTATED_PIXELS_MAX: u64 = 4_000_000;
/// Files that are decoded if no time is asked for.
const FILES: u64 = 8_000;
/// Changes made to one file.
const CHANGES_MAX: u64 = 6;

/// Random numbers (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }

    /// Changes bytes, most of them in the headers; cuts, doubles and removes pieces.
    fn mutate(&mut self, file: &[u8]) -> Vec<u8> {
        let mut file = file.to_vec();
        for _ in 0..=self.below(CHANGES_MAX as usize) {
            let within = if self.below(2) == 0 { file.len().min(128) } else { file.len() };
            let at = self.below(within);
            match self.below(8) {
                0 => file.truncate(at.max(8)),
                1 => drop(file.drain(at..(at + 1 + self.below(16)).min(file.len()))),
                2 => {
                    let piece = file[at..(at + 1 + self.below(64)).min(file.len())].to_vec();
                    file.splice(at..at, piece);
                }
                3 => file[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                _ => file[at] ^= 1 << self.below(8),
            }
            if file.is_empty() {
                break;
            }
        }
        file
    }
}

fn files() -> Vec<Vec<u8>> {
    let picture = quarters(24);
    let formats = [
        ImageFormat::Png,
        ImageFormat::Gif,
        ImageFormat::WebP,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
        ImageFormat::Jpeg,
        ImageFormat::Pnm,
    ];
    let mut files: Vec<Vec<u8>> = formats.map(|format| encode(picture.clone(), format)).to_vec();
    let with_alpha = DynamicImage::from(picture).to_rgba8();
    files.extend(
        [ImageFormat::Ico, ImageFormat::Png, ImageFormat::Tiff]
            .map(|format| encode(with_alpha.clone(), format)),
    );
    files.extend(pictures::cases().into_iter().map(|(_, file, _)| file));
    files
}

#[test]
fn damaged_images_give_pixels_or_a_reason_within_bounded_memory() {
    let test = "decode::tests::mutated::decodes_damaged_images";
    let folder = tempfile::tempdir().unwrap();
    let last = folder.path().join("last");
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, &last)
        .output()
        .unwrap();
    if !child.status.success() {
        let kept = std::env::temp_dir().join("kosmos-fuzz-image");
        std::fs::copy(&last, &kept).unwrap();
        panic!("{}: {}\n{}", child.status, kept.display(), String::from_utf8_lossy(&child.stderr));
    }
}

/// Does nothing unless it is run as a child.
#[test]
fn decodes_damaged_images() {
    let Ok(last) = std::env::var(CHILD) else {
        return;
    };
    corpus::probe::confine(MEMORY_BYTES);
    let secs: Option<u64> = std::env::var("KOSMOS_FUZZ_SECS").ok().and_then(|secs| secs.parse().ok());
    let end = secs.map(|secs| Instant::now() + Duration::from_secs(secs));
    let (files, mut random) = (files(), Random(secs.unwrap_or(1)));
    let (mut count, mut decoded) = (0, 0_u64);
    while end.map_or(count < FILES, |end| Instant::now() < end) {
        let whole = random.below(files.len());
        let file = random.mutate(&files[whole]);
        std::fs::write(&last, &file).unwrap();
        if let Ok(found) = Decoder::new(MUTATED_PIXELS_MAX).decode(&file) {
            assert!(u64::from(found.width) * u64::from(found.height) <= MUTATED_PIXELS_MAX);
            decoded += 1;
        }
        count += 1;
    }
    assert!(decoded > 0 && decoded < count, "{decoded} of {count}");
    eprintln!("{count} images, {decoded} of them still decoded");
}
