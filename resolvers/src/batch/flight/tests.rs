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

fn told() -> (oneshot::Sender<&'static str>, Waiter<&'static str>) {
    let (tell, told) = oneshot::channel();
    let waiter = Flight::launch(async { told.await.unwrap() }, panicked);
    (tell, waiter)
}

#[tokio::test]
async fn everybody_gets_the_outcome() {
    let (tell, first) = told();
    let second = first.flight().join().unwrap();
    tell.send("it").unwrap();

    assert_eq!(tokio::join!(second, first), ("it", "it"));
}

#[tokio::test]
async fn who_waits_goes_on_when_who_drives_goes_away() {
    let (tell, mut first) = told();
    let mut second = first.flight().join().unwrap();
    let mut third = first.flight().join().unwrap();
    assert!(poll!(&mut first).is_pending());
    assert!(poll!(&mut second).is_pending());
    assert!(poll!(&mut third).is_pending());

    drop(first);
    drop(second);
    tell.send("it").unwrap();

    assert_eq!(third.await, "it");
}

#[tokio::test]
async fn who_waits_is_woken_to_drive() {
    let (tell, mut first) = told();
    let second = first.flight().join().unwrap();
    assert!(poll!(&mut first).is_pending());
    let other = async {
        tokio::task::yield_now().await;
        drop(first);
        tell.send("it").unwrap();
    };

    assert_eq!(tokio::join!(second, other).0, "it");
}

#[tokio::test]
async fn what_nobody_waits_for_is_abandoned() {
    let (mut tell, mut first) = told();
    let flight = Arc::clone(first.flight());
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
    let first = Flight::launch(call, panicked);
    let second = first.flight().join().unwrap();

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
    Tell,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => Just(Event::Join),
        3 => any::<usize>().prop_map(Event::Leave),
        4 => Just(Event::Run),
        1 => Just(Event::Tell),
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
    waiter: Waiter<&'static str>,
    woken: Arc<Woken>,
}

impl Client {
    fn new(waiter: Waiter<&'static str>) -> Self {
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
    fn whoever_stays_gets_the_outcome_and_nobody_stays_for_nothing(events in events()) {
        let (tell, first) = told();
        let mut tell = Some(tell);
        let flight = Arc::clone(first.flight());
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
                Event::Tell => {
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
