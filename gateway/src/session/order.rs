//! Nothing overtakes a command that was lost (FRM5).
//!
//! A client sends on before it knows what became of a command. When one is answered that it could not be stored for now,
//! what the client had sent until it saw that answer must not be stored either, or its retry would come behind it. What
//! the client has seen, a ping behind the answer tells: until its pong comes back, durable commands are refused too.

/// Whether durable commands may be taken.
#[derive(Debug, Default)]
pub struct Order {
    /// A command was lost, and the client is not asked yet how far it has read.
    lost: bool,
    pings: u64,
    pongs: u64,
    /// Pongs from which on the client knows of all that was lost.
    open_from: u64,
    /// Pings that had been sent when the client was last asked as usual.
    settled: u64,
}

impl Order {
    /// A command was refused that may come again.
    pub fn lost(&mut self) {
        self.lost = true;
    }

    /// Whether a ping is to be sent because of what was lost. It is asked once.
    pub fn wants_ping(&mut self) -> bool {
        let wants = std::mem::take(&mut self.lost);
        if wants {
            self.open_from = self.pings + 1;
        }
        wants
    }

    /// Whether the client may not know yet of all that was lost.
    pub fn is_held(&self) -> bool {
        self.lost || self.pongs < self.open_from
    }

    pub fn ping(&mut self) {
        self.pings += 1;
    }

    /// The client is asked as usual, and has answered since the last time: it may have answered several pings at once, but
    /// what was sent before that time it has seen.
    pub fn settle(&mut self) {
        self.pongs = self.pongs.max(self.settled);
        self.settled = self.pings;
    }

    /// A pong that nobody asked for counts for nothing.
    pub fn pong(&mut self) {
        self.pongs = self.pings.min(self.pongs + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frm5_after_a_loss_commands_are_held_until_the_client_has_seen_it() {
        let mut order = Order::default();
        order.ping();
        assert!(!order.is_held() && !order.wants_ping());
        order.lost();
        assert!(order.is_held() && order.wants_ping() && !order.wants_ping());
        order.ping();
        // The first pong answers the heartbeat that was under way before.
        order.pong();
        assert!(order.is_held());
        // Something else is lost meanwhile: the client has to see that, too.
        order.lost();
        assert!(order.wants_ping());
        order.ping();
        order.pong();
        assert!(order.is_held());
        order.pong();
        assert!(!order.is_held());
        // One pong for two pings holds nothing up for longer than two heartbeats.
        order.lost();
        assert!(order.wants_ping());
        order.ping();
        order.settle();
        assert!(order.is_held(), "it was asked a moment ago");
        order.ping();
        order.pong();
        order.settle();
        assert!(!order.is_held());
        // Pongs in advance open nothing.
        order.pong();
        order.lost();
        assert!(order.wants_ping());
        order.ping();
        assert!(order.is_held());
    }
}
