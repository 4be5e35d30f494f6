//! Calls that are joined, left, handed over and told.

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
    let waiter = SharedCall::start(async { receiver.await.unwrap() }, panicked);
    (sender, waiter)
}

#[tokio::test]
async fn every_waiter_gets_the_outcome() {
    let (tell, first) = pending_call();
    let second = first.shared_call().join().unwrap();
    tell.send("it").unwrap();

    assert_eq!(tokio::join!(second, first), ("it", "it"));
}

#[tokio::test]
async fn a_waiter_takes_over_when_the_driver_is_dropped() {
    let (tell, mut first) = pending_call();
    let mut second = first.shared_call().join().unwrap();
    let mut third = first.shared_call().join().unwrap();
    assert!(poll!(&mut first).is_pending());
    assert!(poll!(&mut second).is_pending());
    assert!(poll!(&mut third).is_pending());

    drop(first);
    drop(second);
    tell.send("it").unwrap();

    assert_eq!(third.await, "it");
}

#[tokio::test]
async fn a_waiter_is_woken_to_drive_the_call() {
    let (tell, mut first) = pending_call();
    let second = first.shared_call().join().unwrap();
    assert!(poll!(&mut first).is_pending());
    let other = async {
        tokio::task::yield_now().await;
        drop(first);
        tell.send("it").unwrap();
    };

    assert_eq!(tokio::join!(second, other).0, "it");
}

#[tokio::test]
async fn a_call_without_waiters_is_abandoned() {
    let (mut tell, mut first) = pending_call();
    let flight = Arc::clone(first.shared_call());
    let second = flight.join().unwrap();
    assert!(poll!(&mut first).is_pending());

    drop(first);
    assert!(!tell.is_closed());
    drop(second);

    tell.closed().await;
    assert!(flight.join().is_none());
}

#[tokio::test]
async fn a_panic_is_an_outcome() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let call = async move {
        counted.fetch_add(1, Ordering::Relaxed);
        panic!("on purpose")
    };
    let first = SharedCall::start(call, panicked);
    let second = first.shared_call().join().unwrap();

    assert_eq!(tokio::join!(first, second), ("panicked", "panicked"));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

/// What happens next, to the waiter with a number, counted around.
#[derive(Clone, Copy, Debug)]
enum Event {
    Join,
    Leave(usize),
    /// Whoever was woken is polled.
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

/// Notes that somebody was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// Waiters as an executor has them: polled once at first, then only when they are woken.
struct Client {
    waiter: CallWaiter<&'static str>,
    woken: Arc<Woken>,
}

impl Client {
    fn new(waiter: CallWaiter<&'static str>) -> Self {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self { waiter, woken }
    }

    /// Whether it has its outcome now.
    fn run(&mut self) -> bool {
        if !self.woken.0.swap(false, Ordering::AcqRel) {
            return false;
        }
        let waker = Waker::from(Arc::clone(&self.woken));
        match Pin::new(&mut self.waiter).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(outcome) => {
                assert_eq!(outcome, "it");
                true
            }
            Poll::Pending => false,
        }
    }
}

/// Runs everybody until nobody is woken any more; those who got their outcome are gone.
fn run(clients: &mut Vec<Client>) {
    while clients.iter().any(|it| it.woken.0.load(Ordering::Acquire)) {
        clients.retain_mut(|client| !client.run());
    }
}

proptest! {
    #[test]
    fn every_waiter_gets_the_outcome_and_no_call_outlives_its_waiters(events in events()) {
        let (tell, first) = pending_call();
        let mut tell = Some(tell);
        let flight = Arc::clone(first.shared_call());
        let mut clients = vec![Client::new(first)];
        for event in events {
            match event {
                Event::Join => match flight.join() {
                    Some(waiter) => clients.push(Client::new(waiter)),
                    None => prop_assert!(clients.is_empty(), "turned away while others wait"),
                },
                Event::Leave(number) if !clients.is_empty() => {
                    clients.remove(number % clients.len());
                }
                Event::Leave(_) => {}
                Event::Run => run(&mut clients),
                Event::Complete => {
                    if let Some(tell) = tell.take() {
                        let abandoned = tell.send("it").is_err();
                        prop_assert!(!abandoned || clients.is_empty());
                    }
                }
            }
            if let Some(tell) = &tell {
                // The call is under way exactly as long as somebody waits for it.
                prop_assert_eq!(tell.is_closed(), clients.is_empty());
            }
        }
        if let Some(tell) = tell {
            let _ = tell.send("it");
        }
        run(&mut clients);
        prop_assert!(clients.is_empty(), "{} wait for ever", clients.len());
    }
}
