//! Waiters that join, leave, take over and complete a shared call.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Wake;

use futures_util::poll;
use proptest::prelude::*;
use tokio::sync::oneshot;

use super::*;

fn panicked() -> &'static str {
    "panicked"
}

fn pending_call() -> (oneshot::Sender<&'static str>, CallWaiter<&'static str>) {
    let (sender, receiver) = oneshot::channel();
    let waiter = SharedCall::start(async { receiver.await.unwrap() }, panicked, Arc::default());
    (sender, waiter)
}

#[tokio::test]
async fn every_waiter_gets_the_outcome() {
    let (sender, first) = pending_call();
    let second = first.shared_call().join().unwrap();
    sender.send("done").unwrap();

    assert_eq!(tokio::join!(second, first), ("done", "done"));
}

#[tokio::test]
async fn a_waiter_takes_over_when_the_driver_is_dropped() {
    let (sender, mut first) = pending_call();
    let mut second = first.shared_call().join().unwrap();
    let mut third = first.shared_call().join().unwrap();
    assert!(poll!(&mut first).is_pending());
    assert!(poll!(&mut second).is_pending());
    assert!(poll!(&mut third).is_pending());

    drop(first);
    drop(second);
    sender.send("done").unwrap();

    assert_eq!(third.await, "done");
}

#[tokio::test]
async fn a_waiter_is_woken_to_drive_the_call() {
    let (sender, mut first) = pending_call();
    let second = first.shared_call().join().unwrap();
    assert!(poll!(&mut first).is_pending());
    let other = async {
        tokio::task::yield_now().await;
        drop(first);
        sender.send("done").unwrap();
    };

    assert_eq!(tokio::join!(second, other).0, "done");
}

#[tokio::test]
async fn a_call_without_waiters_is_abandoned() {
    let (mut sender, mut first) = pending_call();
    let shared_call = Arc::clone(first.shared_call());
    let second = shared_call.join().unwrap();
    assert!(poll!(&mut first).is_pending());

    drop(first);
    assert!(!sender.is_closed());
    drop(second);

    sender.closed().await;
    assert!(shared_call.join().is_none());
}

#[tokio::test]
async fn a_panic_is_an_outcome() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let call = async move {
        counted.fetch_add(1, Ordering::Relaxed);
        panic!("on purpose")
    };
    let first = SharedCall::start(call, panicked, Arc::default());
    let second = first.shared_call().join().unwrap();

    assert_eq!(tokio::join!(first, second), ("panicked", "panicked"));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

/// A step of the test, for the waiter with an index modulo their number.
#[derive(Clone, Copy, Debug)]
enum Event {
    Join,
    Leave(usize),
    /// Polls the waiters that were woken.
    Run,
    Complete,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => Just(Event::Join),
        3 => any::<usize>().prop_map(Event::Leave),
        4 => Just(Event::Run),
        1 => Just(Event::Complete),
    ];
    prop::collection::vec(event, 0..40)
}

/// Records that a waiter was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// A waiter as an executor runs it: polled once at first, then only when it is woken.
struct Client {
    waiter: CallWaiter<&'static str>,
    woken: Arc<Woken>,
}

impl Client {
    fn new(waiter: CallWaiter<&'static str>) -> Self {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self { waiter, woken }
    }

    /// Polls the waiter if it was woken; returns whether it is complete.
    fn run(&mut self) -> bool {
        if !self.woken.0.swap(false, Ordering::AcqRel) {
            return false;
        }
        let waker = Waker::from(Arc::clone(&self.woken));
        match Pin::new(&mut self.waiter).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(outcome) => {
                assert_eq!(outcome, "done");
                true
            }
            Poll::Pending => false,
        }
    }
}

/// Polls woken waiters until none is woken; removes completed ones.
fn run(clients: &mut Vec<Client>) {
    while clients
        .iter()
        .any(|client| client.woken.0.load(Ordering::Acquire))
    {
        clients.retain_mut(|client| !client.run());
    }
}

proptest! {
    #[test]
    fn every_waiter_gets_the_outcome_and_no_call_outlives_its_waiters(events in events()) {
        let (sender, first) = pending_call();
        let mut sender = Some(sender);
        let shared_call = Arc::clone(first.shared_call());
        let mut clients = vec![Client::new(first)];
        for event in events {
            match event {
                Event::Join => match shared_call.join() {
                    Some(waiter) => clients.push(Client::new(waiter)),
                    None => prop_assert!(clients.is_empty(), "a call with waiters could not be joined"),
                },
                Event::Leave(number) if !clients.is_empty() => {
                    clients.remove(number % clients.len());
                }
                Event::Leave(_) => {}
                Event::Run => run(&mut clients),
                Event::Complete => {
                    if let Some(sender) = sender.take() {
                        let abandoned = sender.send("done").is_err();
                        prop_assert!(!abandoned || clients.is_empty());
                    }
                }
            }
            if let Some(sender) = &sender {
                // The call is in flight exactly as long as it has waiters.
                prop_assert_eq!(sender.is_closed(), clients.is_empty());
            }
        }
        if let Some(sender) = sender {
            let _ = sender.send("done");
        }
        run(&mut clients);
        prop_assert!(clients.is_empty(), "{} waiters never complete", clients.len());
    }
}
