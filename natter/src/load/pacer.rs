//! Sleeping to the point. The runtime's own timers have a granularity of a millisecond, which is as much as what is to be
//! measured; the kernel's are good for some fifty microseconds.

use std::io;
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use {
    rustix::fd::OwnedFd,
    rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    },
    tokio::io::unix::AsyncFd,
};

/// Never sleeps for less: at high rates several messages go at once, and their delay counts as latency.
const GRAIN: Duration = Duration::from_micros(200);

pub struct Pacer {
    #[cfg(target_os = "linux")]
    timer: AsyncFd<OwnedFd>,
}

impl Pacer {
    #[cfg(target_os = "linux")]
    pub fn new() -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        Ok(Self { timer: AsyncFd::new(timer)? })
    }

    #[cfg(not(target_os = "linux"))]
    pub fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Returns at `due`, or a grain later; at once if that is past.
    pub async fn until(&mut self, due: Instant) -> io::Result<()> {
        let now = Instant::now();
        if due <= now {
            return Ok(());
        }
        self.sleep((due - now).max(GRAIN)).await
    }

    #[cfg(target_os = "linux")]
    async fn sleep(&mut self, duration: Duration) -> io::Result<()> {
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = Timespec {
            tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(duration.subsec_nanos()),
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &Itimerspec { it_interval: zero, it_value: value })?;
        loop {
            let mut ready = self.timer.readable().await?;
            let mut expirations = [0; 8];
            match ready.try_io(|timer| rustix::io::read(timer.get_ref(), &mut expirations).map_err(io::Error::from)) {
                Ok(read) => return read.map(|_| ()),
                Err(_would_block) => {}
            }
        }
    }

    #[cfg(not(target_os = "linux"))]
    async fn sleep(&mut self, duration: Duration) -> io::Result<()> {
        tokio::time::sleep(duration).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pacer_never_wakes_early_and_does_not_wait_for_what_is_past() {
        let mut pacer = Pacer::new().expect("a timer");
        let began = Instant::now();
        for ms in [1, 2, 2, 10] {
            let due = began + Duration::from_millis(ms);
            pacer.until(due).await.expect("sleeps");
            assert!(Instant::now() >= due);
        }
        let past = Instant::now();
        pacer.until(began).await.expect("does not sleep");
        assert!(past.elapsed() < Duration::from_secs(5));
    }
}
