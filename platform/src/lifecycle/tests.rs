use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::*;
use crate::error::chain;

const GRACE: Duration = Duration::from_secs(10);
/// Far beyond anything that a test waits for.
const DEADLINE: Duration = Duration::from_secs(120);

type Nothing = Result<(), std::io::Error>;

fn service() -> (Shutdown, Tasks) {
    let shutdown = Shutdown::new(GRACE);
    let tasks = Tasks::new(&shutdown);
    (shutdown, tasks)
}

async fn joined(tasks: &Tasks) -> Result<(), StopError> {
    timeout(DEADLINE, tasks.join()).await.expect("join never returned")
}

/// Lets the others run until the table is empty. The paused clock stands still meanwhile, so turns are counted instead.
async fn none_left(tasks: &Tasks) {
    for _ in 0..1000 {
        if tasks.running().is_empty() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("still running: {:?}", tasks.running());
}

#[tokio::test(start_paused = true)]
async fn an_essential_task_that_ends_stops_the_service_and_is_named() {
    let (shutdown, tasks) = service();
    tasks.spawn("feed", Policy::Essential, async { Nothing::Ok(()) });
    let error = joined(&tasks).await.expect_err("it ended early");
    assert!(matches!(&error, StopError::Ended { task } if task == "feed"), "{error}");
    assert!(shutdown.is_requested());
}

#[tokio::test(start_paused = true)]
async fn an_essential_tasks_error_stops_the_service_with_its_cause() {
    let (_shutdown, tasks) = service();
    tasks.spawn("feed", Policy::Essential, async { Err(std::io::Error::other("no broker")) });
    let error = joined(&tasks).await.expect_err("it failed");
    assert_eq!(chain(&error), "the task \"feed\" failed: no broker");
}

#[tokio::test(start_paused = true)]
async fn an_essential_tasks_panic_stops_the_service_and_others_get_to_end() {
    let (shutdown, tasks) = service();
    let tidied = Arc::new(AtomicBool::new(false));
    let (seen, other) = (tidied.clone(), shutdown.clone());
    tasks.spawn("other", Policy::Essential, async move {
        other.requested().await;
        seen.store(true, Ordering::SeqCst);
        Nothing::Ok(())
    });
    tasks.spawn("feed", Policy::Essential, async {
        if true {
            panic!("at position {}", 7);
        }
        Nothing::Ok(())
    });
    let error = joined(&tasks).await.expect_err("it panicked");
    assert_eq!(error.to_string(), "the task \"feed\" panicked: at position 7");
    assert!(tidied.load(Ordering::SeqCst), "the other task was not let to its end");
}

#[tokio::test(start_paused = true)]
async fn an_expected_task_may_end_fail_or_panic_and_the_service_goes_on() {
    let (shutdown, tasks) = service();
    tasks.spawn("done", Policy::Expected, async { Nothing::Ok(()) });
    tasks.spawn("failed", Policy::Expected, async { Err(std::io::Error::other("x")) });
    tasks.spawn("panicked", Policy::Expected, async {
        if true {
            panic!("x");
        }
        Nothing::Ok(())
    });
    none_left(&tasks).await;
    assert!(!shutdown.is_requested());
    shutdown.request();
    joined(&tasks).await.expect("nothing essential went wrong");
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_tasks_and_a_background_task_does_not_hold_it_up() {
    let (shutdown, tasks) = service();
    tasks.spawn("background", Policy::Background, pending::<Nothing>());
    let stop = shutdown.clone();
    tasks.spawn("slow", Policy::Essential, async move {
        stop.requested().await;
        tokio::time::sleep(GRACE / 2).await;
        Nothing::Ok(())
    });
    assert_eq!(tasks.running(), ["background", "slow"]);
    shutdown.request();
    let from = Instant::now();
    joined(&tasks).await.expect("all ended in time");
    assert!(from.elapsed() >= GRACE / 2 && from.elapsed() < GRACE, "{:?}", from.elapsed());
    assert!(tasks.running().is_empty(), "{:?}", tasks.running());
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_in_time_is_aborted_and_named() {
    let (shutdown, tasks) = service();
    let (held, dropped) = oneshot::channel::<()>();
    tasks.spawn("stuck", Policy::Essential, async move {
        let _held = held;
        pending::<Nothing>().await
    });
    tasks.spawn("stuck too", Policy::Expected, pending::<Nothing>());
    tasks.spawn("background", Policy::Background, pending::<Nothing>());
    shutdown.request();
    let from = Instant::now();
    let error = joined(&tasks).await.expect_err("two never end");
    assert!(matches!(&error, StopError::LeftOver { tasks } if tasks == &["stuck", "stuck too"]), "{error}");
    assert!(from.elapsed() >= GRACE && from.elapsed() < GRACE + Duration::from_secs(1), "{:?}", from.elapsed());
    timeout(DEADLINE, dropped).await.expect("the task was not aborted").expect_err("nobody sends");
}

#[tokio::test(start_paused = true)]
async fn a_forced_stop_does_not_wait_for_the_grace() {
    let (shutdown, tasks) = service();
    tasks.spawn("stuck", Policy::Essential, pending::<Nothing>());
    shutdown.force();
    let from = Instant::now();
    assert!(joined(&tasks).await.is_err());
    assert!(from.elapsed() < Duration::from_secs(1), "{:?}", from.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_is_started_after_the_end_does_not_run() {
    let (shutdown, tasks) = service();
    shutdown.request();
    joined(&tasks).await.expect("there is nothing to wait for");
    tasks.spawn("late", Policy::Expected, pending::<Nothing>());
    none_left(&tasks).await;
}

/// Its own signals do not kill this process: the handlers are in place before they are sent, and stay.
#[tokio::test]
async fn the_first_signal_is_soft_and_the_second_is_hard() {
    use rustix::process::{Signal, getpid, kill_process};
    let (shutdown, tasks) = service();
    shutdown_on_signals(&shutdown, &tasks).expect("handlers");
    kill_process(getpid(), Signal::TERM).expect("sent");
    timeout(DEADLINE, shutdown.requested()).await.expect("SIGTERM was not noticed");
    assert!(!shutdown.is_forced());
    kill_process(getpid(), Signal::INT).expect("sent");
    timeout(GRACE / 2, shutdown.forced()).await.expect("SIGINT was not noticed");
    joined(&tasks).await.expect("the listener ends");
}
