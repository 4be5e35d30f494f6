//! A TCP relay that can delay responses, and connect new clients to another server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Forwards all bytes to a server, and its responses back, with a delay.
pub(crate) struct Relay {
    pub(crate) port: u16,
    delay: Arc<AtomicU64>,
    target: Arc<AtomicU16>,
    _task: JoinSet<()>,
}

impl Relay {
    /// A relay to a port of this machine.
    pub(crate) async fn start(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (delay, target) = (Arc::default(), Arc::new(AtomicU16::new(port)));
        let (slow, to) = (Arc::clone(&delay), Arc::clone(&target));
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut each = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let port = to.load(Ordering::Relaxed);
                if let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await {
                    each.spawn(pass(near, far, Arc::clone(&slow)));
                }
            }
        });
        Self {
            port: own,
            delay,
            target,
            _task: task,
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Delays responses from now on.
    pub(crate) fn slow_down(&self, delay: Duration) {
        let delay = delay.as_millis().try_into().unwrap();
        self.delay.store(delay, Ordering::Relaxed);
    }

    /// Connects new clients to another port, like a changed DNS name. Connections stay.
    pub(crate) fn redirect(&self, port: u16) {
        self.target.store(port, Ordering::Relaxed);
    }
}

async fn pass(near: TcpStream, far: TcpStream, delay: Arc<AtomicU64>) {
    let (mut from_client, mut to_client) = near.into_split();
    let (mut from_server, mut to_server) = far.into_split();
    let there = async {
        let _ = copy(&mut from_client, &mut to_server).await;
    };
    let back = async {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from_server.read(&mut bytes).await {
            sleep(Duration::from_millis(delay.load(Ordering::Relaxed))).await;
            if to_client.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = there => {}
        () = back => {}
    }
}
