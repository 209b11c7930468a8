//! A name server on loopback, whose every answer is made up.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

/// What a name server says of a name.
pub(crate) enum Says {
    Address(Ipv4Addr),
    NoSuchName,
    Failure,
}

const HEADER_BYTES: usize = 12;
const TYPE_A: [u8; 2] = [0, 1];
const CLASS_IN: [u8; 2] = [0, 1];

/// Answers questions for addresses until the process ends.
pub(crate) fn serve(says: impl Fn(&str) -> Says + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut packet = [0; 1_500];
        while let Ok((length, peer)) = socket.recv_from(&mut packet) {
            if let Some(answer) = answer(&packet[..length], &says) {
                let _ = socket.send_to(&answer, peer);
            }
        }
    });
    address
}

/// Answers one question (RFC 1035, 4.1); what follows it in the packet is left out.
fn answer(packet: &[u8], says: &impl Fn(&str) -> Says) -> Option<Vec<u8>> {
    let question = packet.get(HEADER_BYTES..)?;
    let (mut labels, mut at) = (Vec::new(), 0);
    while let Some(length) = question.get(at).filter(|length| **length > 0) {
        let end = at + 1 + usize::from(*length);
        labels.push(String::from_utf8_lossy(question.get(at + 1..end)?).to_lowercase());
        at = end;
    }
    let end = at + 1 + TYPE_A.len() + CLASS_IN.len();
    let is_address = question.get(at + 1..at + 3)? == TYPE_A;
    let (code, record) = match says(&labels.join(".")) {
        Says::Address(address) if is_address => (0, Some(address)),
        Says::Address(_) => (0, None),
        Says::NoSuchName => (3, None),
        Says::Failure => (2, None),
    };
    let mut out = packet.get(..2)?.to_vec();
    // An answer, recursion desired and available.
    out.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(record.is_some()), 0, 0, 0, 0]);
    out.extend_from_slice(question.get(..end)?);
    if let Some(address) = record {
        // The name is the question's; an hour to live.
        out.extend([0xC0, HEADER_BYTES as u8]);
        out.extend([TYPE_A, CLASS_IN, [0, 0], [14, 16], [0, 4]].concat());
        out.extend(address.octets());
    }
    Some(out)
}
