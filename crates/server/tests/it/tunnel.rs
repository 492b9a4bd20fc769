//! A proxy on this machine that takes a client to the service, whatever host it asks for.

use std::io::{Read, Write, copy};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::spawn;

/// Starts one that leads to this address; gives its own. It ends with the tests.
pub fn start(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            spawn(move || lead(client, to));
        }
    });
    address
}

fn lead(mut client: TcpStream, to: SocketAddr) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut next = [0];
        client.read_exact(&mut next).unwrap();
        head.extend(next);
    }
    assert!(head.starts_with(b"CONNECT "), "{}", String::from_utf8_lossy(&head));
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    let mut service = TcpStream::connect(to).unwrap();
    let (mut asked, mut asking) = (client.try_clone().unwrap(), service.try_clone().unwrap());
    // Who goes first ends both ways.
    spawn(move || copy(&mut asked, &mut asking));
    let _ = copy(&mut service, &mut client);
}
