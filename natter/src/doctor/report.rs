//! One line per check, as it is made.

#[derive(Default)]
pub struct Report {
    passed: usize,
    failed: usize,
}

impl Report {
    pub fn ok(&mut self, what: &str, detail: String) {
        self.passed += 1;
        println!("ok    {what:<18} {detail}");
    }

    /// With what to do about it.
    pub fn fail(&mut self, what: &str, why: String, advice: &str) {
        self.failed += 1;
        println!("FAIL  {what:<18} {why}");
        if !advice.is_empty() {
            println!("      {:<18} -> {advice}", "");
        }
    }

    pub fn failed(&self) -> usize {
        self.failed
    }

    pub fn all(&self) -> usize {
        self.passed + self.failed
    }
}
