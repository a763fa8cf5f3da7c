use natter_events::Tag;

use super::*;

const HEARTBEAT: u64 = 25_000;

fn position(seq: u64) -> Position {
    Position { epoch: 1, seq, tag: Tag(seq) }
}

fn welcome() -> Input {
    Input::Received(Signal::Welcome { gateway: "g1".into(), heartbeat_ms: HEARTBEAT })
}

fn closed(code: u16) -> Input {
    Input::Closed { code: Some(code), reason: None }
}

/// A connection with a clock, so that tests read as what happens.
struct Bench {
    connection: Connection,
    now_ms: u64,
}

impl Bench {
    fn new(resume: Option<u64>, renewable: bool) -> Self {
        Self { connection: Connection::new(resume.map(position), renewable), now_ms: 1_000_000 }
    }

    fn on(&mut self, input: Input) -> Vec<Effect> {
        self.connection.on(input, self.now_ms, 0.5)
    }

    fn signal(&mut self, signal: Signal) -> Vec<Effect> {
        self.on(Input::Received(signal))
    }

    /// Lets the time go on to the next deadline.
    fn tick(&mut self) -> Vec<Effect> {
        self.now_ms = self.connection.next_deadline_ms().expect("something to wait for").max(self.now_ms);
        self.on(Input::Tick)
    }

    fn start(&mut self) -> Vec<Effect> {
        self.on(Input::Start { token_ends_ms: None })
    }

    fn live(resume: Option<u64>) -> Self {
        Self::live_with(resume, true, None)
    }

    fn live_with(resume: Option<u64>, renewable: bool, token_life_ms: Option<u64>) -> Self {
        let mut bench = Self::new(resume, renewable);
        let token_ends_ms = token_life_ms.map(|life_ms| bench.now_ms + life_ms);
        bench.on(Input::Start { token_ends_ms });
        bench.go_live();
        bench
    }

    fn go_live(&mut self) {
        assert!(matches!(self.on(Input::Opened)[..], [Effect::Hello { .. }]));
        self.on(welcome());
        self.signal(Signal::CaughtUp(position(10)));
        assert!(self.connection.is_live());
    }
}

fn waiting(effects: &[Effect]) -> Option<(u32, u64, bool)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Tell(State::Waiting { attempt, retry_in, by_hand, .. }) => {
            Some((*attempt, u64::try_from(retry_in.as_millis()).expect("short"), *by_hand))
        }
        _ => None,
    })
}

fn opens(effects: &[Effect]) -> bool {
    effects.contains(&Effect::Open)
}

fn stopped(effects: &[Effect]) -> Option<StopReason> {
    effects.iter().find_map(|effect| match effect {
        Effect::Tell(State::Stopped(reason)) => Some(reason.clone()),
        _ => None,
    })
}

#[test]
fn con1_hello_is_the_first_frame_and_says_where_to_resume() {
    let mut bench = Bench::new(Some(7), true);
    assert!(opens(&bench.start()));
    assert_eq!(bench.on(Input::Opened), [Effect::Hello { resume: Some(position(7)) }]);
    let mut fresh = Bench::new(None, true);
    fresh.start();
    assert_eq!(fresh.on(Input::Opened), [Effect::Hello { resume: None }]);
}

#[test]
fn con3_commands_wait_until_the_replay_has_ended() {
    let mut bench = Bench::new(Some(7), true);
    bench.start();
    bench.on(Input::Opened);
    assert_eq!(bench.on(welcome()), [Effect::Tell(State::CatchingUp { gateway: "g1".into() })]);
    assert_eq!(bench.signal(Signal::Durable(position(8))), []);
    assert!(!bench.connection.is_live());
    let effects = bench.signal(Signal::CaughtUp(position(9)));
    assert_eq!(effects, [Effect::Tell(State::Live { gateway: "g1".into() }), Effect::Ready]);
    assert_eq!(bench.connection.position(), Some(position(9)));
}

#[test]
fn con3_a_reset_gives_the_position_to_go_on_from() {
    let mut bench = Bench::new(Some(7), true);
    bench.start();
    bench.on(Input::Opened);
    bench.on(welcome());
    let effects = bench.signal(Signal::Reset { reason: ResetReason::OtherLog, position: position(3) });
    assert!(effects.contains(&Effect::Ready));
    assert_eq!(bench.connection.position(), Some(position(3)));
}

#[test]
fn con3_a_replay_that_breaks_off_resumes_from_what_came() {
    let mut bench = Bench::new(Some(7), true);
    bench.start();
    bench.on(Input::Opened);
    bench.on(welcome());
    bench.signal(Signal::Durable(position(8)));
    assert!(waiting(&bench.on(closed(4001))).is_some());
    assert!(opens(&bench.tick()));
    assert_eq!(bench.on(Input::Opened), [Effect::Hello { resume: Some(position(8)) }]);
}

#[test]
fn con3_anything_but_welcome_first_is_not_believed() {
    let mut bench = Bench::new(Some(7), true);
    bench.start();
    bench.on(Input::Opened);
    let effects = bench.signal(Signal::Durable(position(99)));
    assert_eq!(effects[0], Effect::Hangup);
    assert!(waiting(&effects).is_some());
    assert_eq!(bench.connection.position(), Some(position(7)));
}

#[test]
fn con1_a_server_that_does_not_answer_or_greet_is_given_up() {
    let mut bench = Bench::new(None, true);
    bench.start();
    let effects = bench.tick();
    assert_eq!(effects[0], Effect::Hangup);
    assert!(waiting(&effects).is_some());
    assert!(opens(&bench.tick()));
    bench.on(Input::Opened);
    let effects = bench.tick();
    assert_eq!(effects[0], Effect::Hangup);
    assert_eq!(waiting(&effects).map(|(attempt, ..)| attempt), Some(2));
}

#[test]
fn evt2_the_position_follows_events_and_oks_in_order() {
    let mut bench = Bench::live(None);
    for seq in [11, 15, 12_000] {
        bench.signal(Signal::Durable(position(seq)));
        assert_eq!(bench.connection.position(), Some(position(seq)));
    }
    bench.signal(Signal::Other);
    assert_eq!(bench.connection.position(), Some(position(12_000)));
}

#[test]
fn hrt1_a_ping_is_answered_with_its_position_and_moves_ours() {
    let mut bench = Bench::live(None);
    assert_eq!(bench.signal(Signal::Ping(position(50))), [Effect::Pong(position(50))]);
    assert_eq!(bench.connection.position(), Some(position(50)));
}

#[test]
fn hrt1_no_ping_for_one_and_a_half_intervals_reconnects() {
    let mut bench = Bench::live(None);
    let began_ms = bench.now_ms;
    bench.now_ms += HEARTBEAT * 3 / 2 - 1;
    bench.signal(Signal::Durable(position(11)));
    assert_eq!(bench.on(Input::Tick), []);
    let effects = bench.tick();
    assert_eq!(bench.now_ms, began_ms + HEARTBEAT * 3 / 2, "events are no pings");
    assert_eq!(effects[0], Effect::Hangup);
    assert!(waiting(&effects).is_some());
}

#[test]
fn hrt1_each_ping_starts_the_interval_again() {
    let mut bench = Bench::live(None);
    for _ in 0..5 {
        bench.now_ms += HEARTBEAT;
        bench.signal(Signal::Ping(position(11)));
        assert_eq!(bench.connection.next_deadline_ms(), Some(bench.now_ms + HEARTBEAT * 3 / 2));
    }
}

#[test]
fn hrt1_while_our_own_reader_stalls_the_server_is_not_called_silent() {
    let mut bench = Bench::live(None);
    bench.on(Input::Stalled);
    assert_eq!(bench.connection.next_deadline_ms(), None);
    bench.now_ms += HEARTBEAT * 10;
    assert_eq!(bench.on(Input::Tick), []);
    bench.on(Input::Drained);
    assert_eq!(bench.connection.next_deadline_ms(), Some(bench.now_ms + HEARTBEAT * 3 / 2));
}

#[test]
fn hrt1_a_replay_is_alive_as_long_as_frames_come() {
    let mut bench = Bench::new(Some(1), true);
    bench.start();
    bench.on(Input::Opened);
    bench.on(welcome());
    for seq in 2..10 {
        bench.now_ms += HEARTBEAT;
        bench.signal(Signal::Durable(position(seq)));
    }
    assert_eq!(bench.tick()[0], Effect::Hangup);
}

#[test]
fn hrt3_goodbye_keeps_the_connection_until_its_delay_has_passed() {
    let mut bench = Bench::live(None);
    assert_eq!(bench.signal(Signal::Goodbye { reconnect_after_ms: 700 }), []);
    assert!(bench.connection.is_live(), "the gateway keeps serving");
    let said_ms = bench.now_ms;
    let effects = bench.tick();
    assert_eq!(bench.now_ms, said_ms + 700);
    assert_eq!(effects[0], Effect::Hangup);
    assert!(opens(&effects), "and then at once, elsewhere");
}

#[test]
fn hrt3_closed_with_4000_before_that_waits_for_the_rest_of_the_delay() {
    let mut bench = Bench::live(None);
    bench.signal(Signal::Goodbye { reconnect_after_ms: 700 });
    bench.now_ms += 200;
    assert_eq!(waiting(&bench.on(closed(4000))), Some((0, 500, false)));
    assert!(opens(&bench.tick()));
}

#[test]
fn hrt3_goodbye_during_a_replay_leaves_for_another_gateway() {
    let mut bench = Bench::new(Some(1), true);
    bench.start();
    bench.on(Input::Opened);
    bench.on(welcome());
    let effects = bench.signal(Signal::Goodbye { reconnect_after_ms: 300 });
    assert_eq!(effects[0], Effect::Hangup);
    assert_eq!(waiting(&effects), Some((0, 300, false)));
}

#[test]
fn hrt4_a_token_is_renewed_ahead_of_its_end_and_told_in_place() {
    let mut bench = Bench::live_with(None, true, Some(900_000));
    let began_ms = bench.now_ms;
    let mut effects = Vec::new();
    while !effects.contains(&Effect::RenewToken) {
        let deadline_ms = bench.connection.next_deadline_ms().expect("a deadline");
        bench.now_ms = deadline_ms.min(bench.now_ms + HEARTBEAT);
        bench.signal(Signal::Ping(position(11)));
        effects = bench.on(Input::Tick);
        assert!(bench.connection.is_live());
    }
    assert_eq!(bench.now_ms, began_ms + 720_000, "a fifth before its end");
    assert!(!bench.on(Input::Tick).contains(&Effect::RenewToken), "once");
    let ends_ms = Some(bench.now_ms + 900_000);
    assert_eq!(bench.on(Input::TokenRenewed { ends_ms }), [Effect::TellToken]);
    assert!(bench.connection.is_live());
}

#[test]
fn hrt4_a_renewal_in_place_that_fails_is_tried_again() {
    let mut bench = Bench::live_with(None, true, Some(10_000));
    assert_eq!(bench.tick(), [Effect::RenewToken]);
    let not = Input::TokenNotRenewed { login_ended: false, cause: "no network".into() };
    assert_eq!(bench.on(not), []);
    let failed_ms = bench.now_ms;
    assert_eq!(bench.tick(), [Effect::RenewToken]);
    assert_eq!(bench.now_ms, failed_ms + RENEW_AGAIN_MS);
}

#[test]
fn hrt4_4501_and_4502_reconnect_at_once_after_a_refresh() {
    for code in [4501, 4502] {
        let mut bench = Bench::live(None);
        let effects = bench.on(closed(code));
        assert!(effects.contains(&Effect::RenewToken) && !opens(&effects), "{code}");
        assert!(opens(&bench.on(Input::TokenRenewed { ends_ms: None })), "{code}");
        bench.go_live();
    }
}

#[test]
fn hrt4_4502_again_with_a_new_token_waits() {
    let mut bench = Bench::live(None);
    bench.on(closed(4502));
    bench.on(Input::TokenRenewed { ends_ms: None });
    bench.on(Input::Opened);
    assert!(waiting(&bench.on(closed(4502))).is_some());
    assert!(bench.tick().contains(&Effect::RenewToken));
}

#[test]
fn hrt4_4502_without_a_way_to_refresh_ends_the_client() {
    let mut bench = Bench::live_with(None, false, None);
    assert_eq!(stopped(&bench.on(closed(4502))), Some(StopReason::LoginEnded));
    assert_eq!(bench.connection.next_deadline_ms(), None);

    // Not that it ended, but that it was never good.
    let mut bench = Bench::live_with(None, false, None);
    assert_eq!(stopped(&bench.on(closed(4501))), Some(StopReason::Closed { code: 4501, reason: None }));
}

#[test]
fn hrt4_a_login_that_has_ended_ends_the_client() {
    let mut bench = Bench::live(None);
    bench.on(closed(4502));
    let not = Input::TokenNotRenewed { login_ended: true, cause: "refused".into() };
    assert_eq!(stopped(&bench.on(not)), Some(StopReason::LoginEnded));
}

#[test]
fn hrt4_a_token_that_ended_while_away_is_renewed_before_connecting() {
    let mut bench = Bench::live_with(None, true, Some(900_000));
    bench.on(closed(4003));
    bench.now_ms += 2_000_000;
    let effects = bench.on(Input::Tick);
    assert!(effects.contains(&Effect::RenewToken) && !opens(&effects));
}

#[test]
fn hrt4_a_refresh_that_the_network_refuses_backs_off() {
    let mut bench = Bench::live(None);
    bench.on(closed(4502));
    let not = Input::TokenNotRenewed { login_ended: false, cause: "no network".into() };
    assert_eq!(waiting(&bench.on(not)), Some((1, 500, false)));
    assert!(bench.tick().contains(&Effect::RenewToken));
}

#[test]
fn hrt5_waits_double_and_after_ten_attempts_a_hand_may_help() {
    let mut bench = Bench::live(None);
    let mut waits = vec![waiting(&bench.on(closed(4003))).expect("waits")];
    for _ in 1..12 {
        assert!(opens(&bench.tick()));
        let failure = OpenFailure::Temporary("connection refused".into());
        waits.push(waiting(&bench.on(Input::OpenFailed(failure))).expect("waits"));
    }
    let (attempts, rest): (Vec<_>, Vec<_>) = waits.into_iter().map(|(a, ms, by_hand)| (a, (ms, by_hand))).unzip();
    assert_eq!(attempts, (1..=12).collect::<Vec<_>>());
    let short = [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 15_000].map(|ms| (ms, false));
    assert_eq!(rest[..9], short);
    assert_eq!(rest[9..], [(15_000, true), (30_000, true), (30_000, true)]);
}

#[test]
fn hrt5_being_live_again_forgets_the_failed_attempts() {
    let mut bench = Bench::live(None);
    for _ in 0..5 {
        bench.on(closed(4003));
        bench.tick();
        bench.go_live();
    }
    assert_eq!(waiting(&bench.on(closed(4003))), Some((1, 500, false)));
}

#[test]
fn hrt5_a_welcome_without_a_replay_forgets_nothing() {
    let mut bench = Bench::live(None);
    for expected in 1..5 {
        let effects = bench.on(closed(4003));
        assert_eq!(waiting(&effects).map(|(attempt, ..)| attempt), Some(expected));
        bench.tick();
        bench.on(Input::Opened);
        bench.on(welcome());
    }
}

#[test]
fn hrt5_at_once_when_the_network_comes_back() {
    let mut bench = Bench::live(None);
    bench.on(closed(4003));
    assert!(opens(&bench.on(Input::Wake)));
    assert_eq!(bench.on(Input::Wake), [], "an attempt is under way");
}

#[test]
fn hrt6_applied_is_said_at_most_once_a_second_and_only_the_last() {
    let mut bench = Bench::live(None);
    assert_eq!(bench.on(Input::Applied(position(11))), [Effect::Applied(position(11))]);
    let said_ms = bench.now_ms;
    bench.now_ms += 400;
    assert_eq!(bench.on(Input::Applied(position(12))), []);
    assert_eq!(bench.on(Input::Applied(position(13))), []);
    assert_eq!(bench.tick(), [Effect::Applied(position(13))]);
    assert_eq!(bench.now_ms, said_ms + 1_000);
    assert!(bench.connection.next_deadline_ms() > Some(bench.now_ms + 1_000), "nothing more to say");
}

#[test]
fn hrt6_what_was_applied_while_away_is_said_when_live_again() {
    let mut bench = Bench::live(None);
    bench.on(closed(4003));
    assert_eq!(bench.on(Input::Applied(position(11))), []);
    bench.tick();
    bench.on(Input::Opened);
    bench.on(welcome());
    let effects = bench.signal(Signal::CaughtUp(position(12)));
    assert!(effects.contains(&Effect::Applied(position(11))));
}

#[test]
fn close_codes_below_4500_and_lost_connections_reconnect() {
    for code in [Some(1000), Some(1001), Some(1006), Some(4000), Some(4001), Some(4002), Some(4003), Some(4499), None] {
        let mut bench = Bench::live(None);
        let effects = bench.on(Input::Closed { code, reason: None });
        assert!(waiting(&effects).is_some(), "{code:?}");
        assert!(opens(&bench.tick()), "{code:?}");
    }
}

#[test]
fn close_codes_from_4500_do_not_reconnect() {
    for code in [4500, 4503, 4504, 4505, 4777, 4999] {
        let mut bench = Bench::live(None);
        let effects = bench.on(closed(code));
        assert_eq!(stopped(&effects), Some(StopReason::Closed { code, reason: None }));
        assert_eq!(bench.connection.next_deadline_ms(), None);
        assert_eq!(bench.on(Input::Wake), []);
    }
}

#[test]
fn an_upgrade_that_is_refused_for_good_stops_and_any_other_is_tried_again() {
    let mut refused = Bench::new(None, true);
    refused.start();
    let effects = refused.on(Input::OpenFailed(OpenFailure::Refused { status: 403 }));
    assert_eq!(stopped(&effects), Some(StopReason::Refused { status: 403 }));
    let mut unauthenticated = Bench::new(None, true);
    unauthenticated.start();
    let effects = unauthenticated.on(Input::OpenFailed(OpenFailure::Unauthenticated));
    assert!(effects.contains(&Effect::RenewToken));
}

#[test]
fn closing_hangs_up_and_is_final() {
    let mut bench = Bench::live(None);
    assert_eq!(bench.on(Input::Stop), [Effect::Hangup, Effect::Tell(State::Stopped(StopReason::ByUs))]);
    assert_eq!(bench.on(Input::Opened), []);
}

#[test]
fn what_a_socket_says_after_it_was_given_up_is_not_heard() {
    let mut bench = Bench::live(None);
    bench.on(closed(4001));
    assert_eq!(bench.signal(Signal::Durable(position(99))), []);
    assert_eq!(bench.on(closed(4500)), []);
    assert_eq!(bench.connection.position(), Some(position(10)));
}

proptest::proptest! {
    /// Whatever happens in whatever order: there is always something to wait for until it stops, an open socket is
    /// closed before another is opened, and time never stands still.
    #[test]
    fn any_history_leaves_a_connection_that_goes_on(steps in proptest::collection::vec((0_u8..16, 0_u64..40_000), 1..80)) {
        let mut bench = Bench::new(None, true);
        bench.start();
        let mut sockets = 1_i32;
        for (step, passes_ms) in steps {
            bench.now_ms += passes_ms;
            let before = matches!(bench.connection.phase, Phase::Greeting { .. } | Phase::CatchingUp { .. } | Phase::Live { .. });
            let input = match step {
                0 => Input::Wake,
                1 => Input::Opened,
                2 => Input::OpenFailed(OpenFailure::Temporary(String::new())),
                3 => welcome(),
                4 => Input::Received(Signal::CaughtUp(position(passes_ms))),
                5 => Input::Received(Signal::Reset { reason: ResetReason::TooOld, position: position(passes_ms) }),
                6 => Input::Received(Signal::Ping(position(passes_ms))),
                7 => Input::Received(Signal::Goodbye { reconnect_after_ms: passes_ms }),
                8 => closed(4001),
                9 => closed(4502),
                10 => Input::TokenRenewed { ends_ms: Some(bench.now_ms + passes_ms) },
                11 => Input::TokenNotRenewed { login_ended: false, cause: String::new() },
                12 => Input::Stalled,
                13 => Input::Drained,
                14 => Input::Applied(position(passes_ms)),
                _ => Input::Tick,
            };
            // The driver says of a socket only what can happen to it.
            let opening = matches!(bench.connection.phase, Phase::Opening { .. });
            match &input {
                Input::Opened | Input::OpenFailed(_) if !opening => continue,
                Input::Received(_) | Input::Closed { .. } if !before => continue,
                _ => {}
            }
            if matches!(input, Input::Closed { .. } | Input::OpenFailed(_)) {
                sockets -= 1;
            }
            for effect in bench.on(input) {
                match effect {
                    Effect::Hangup => sockets -= 1,
                    Effect::Open => sockets += 1,
                    _ => {}
                }
                proptest::prop_assert!((0..=1).contains(&sockets), "{sockets} sockets in {:?}", bench.connection.phase);
            }
            let waits_for_us = matches!(bench.connection.phase, Phase::Renewing) || bench.connection.stalled;
            proptest::prop_assert!(bench.connection.next_deadline_ms().is_some() || waits_for_us);
        }
    }
}
