//! A file that is uploaded in pieces, of which a few are in memory.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use object_store::path::Path as StorePath;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};

use super::super::Answer;
use super::unread;

/// Bytes of a file that is put as a whole.
pub(super) const WHOLE_BYTES_MAX: u64 = PIECE_BYTES_MIN;
/// Bytes of a piece, unless there would be too many.
const PIECE_BYTES_MIN: u64 = 16 << 20;
/// Pieces of an upload at most, as S3 has it.
const PIECES_MAX: u64 = 10_000;
/// Pieces that are on their way at a time.
const PIECES_AT_ONCE: usize = 2;

/// Uploads a file under a path; nothing of it is to be seen before all of it is there.
pub(super) async fn upload(
    objects: &dyn ObjectStore,
    path: &StorePath,
    file: &Path,
    length: u64,
) -> Answer<()> {
    let file = File::open(file).map_err(unread)?;
    let mut upload = objects.put_multipart(path).await?;
    let sent = match send(upload.as_mut(), file, length).await {
        Ok(()) => upload.complete().await.map(drop),
        Err(error) => Err(error),
    };
    let Err(error) = sent else { return Ok(()) };
    // The answer to its end may have been lost, and asked again it is unknown.
    if objects.head(path).await.is_ok_and(|meta| meta.size == length) {
        return Ok(());
    }
    // Left behind it costs money, and nothing else.
    let _ = upload.abort().await;
    Err(error)
}

async fn send(upload: &mut dyn MultipartUpload, mut file: File, length: u64) -> Answer<()> {
    let piece = PIECE_BYTES_MIN.max(length.div_ceil(PIECES_MAX));
    let (mut left, mut on_the_way) = (length, FuturesUnordered::new());
    while left > 0 {
        let mut bytes = vec![0; left.min(piece) as usize];
        file.read_exact(&mut bytes).map_err(unread)?;
        left -= bytes.len() as u64;
        if on_the_way.len() >= PIECES_AT_ONCE {
            on_the_way.next().await.transpose()?;
        }
        on_the_way.push(upload.put_part(PutPayload::from(bytes)));
    }
    while let Some(sent) = on_the_way.next().await {
        sent?;
    }
    Ok(())
}
