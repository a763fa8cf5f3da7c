//! Days, and what is let go of as they pass.

use super::paper::{DAY_MS, Paper, Person, projected};
use super::tables::{number, rows};

#[tokio::test]
async fn changes_are_kept_for_thirty_days_of_the_log_and_what_is_kept_is_said() {
    let (ada, ben) = (Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben]);
    for _ in 0..40 {
        paper.append(&ada.says(&[ben.uid], "hi"));
        paper.append(&ben.reads(&[ada.uid], 1));
        paper.now_ms += DAY_MS;
    }
    for sizes in [[1_000], [3], [1]] {
        let database = projected(&paper, &sizes).await;
        // The days are 5 January (seq 1) to 13 February (seq 79); thirty before the last is 14 January (seq 19).
        let kept = number(&database, "select after_seq from changes_kept").await;
        assert_eq!(kept, 18);
        assert_eq!(number(&database, "select min(seq) from changes").await, 20);
        assert_eq!(number(&database, "select count(*) from changes").await, 31);
        assert_eq!(number(&database, "select count(*) from messages").await, 40, "messages stay");
        let days: Vec<(String, i64)> = rows(&database, "select day::text, first_seq from days order by day").await;
        assert_eq!((days.len(), days[0].clone()), (40, ("2026-01-05".to_owned(), 1)));
        assert_eq!(days[39], ("2026-02-13".to_owned(), 79));
    }
}
