//! Where the publisher stands on the tape, and when it goes back. Pure.

use events::Position;

/// Invariant: everything up to `saved()` has been published, and every demand to publish again that
/// stands there has been met; so whoever begins from there leaves nothing out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishCursor {
    /// Published last; what follows is next.
    place: Position,
    /// Demands up to here have been met, or are being met.
    heeded: Position,
    /// While going back: the demand that is being met, which is published last.
    again: Option<Position>,
}

impl PublishCursor {
    pub fn new(cursor: Position) -> Self {
        Self { place: cursor, heeded: cursor, again: None }
    }

    pub fn place(&self) -> Position {
        self.place
    }

    /// Up to where nothing is pending: what is saved as the cursor.
    pub fn saved(&self) -> Position {
        match self.again {
            Some(demand) => self.place.min(demand - 1),
            None => self.place,
        }
    }

    /// The stream's last row of this tape stands at `last`. Before its own place, if the broker lost
    /// the end of its stream: then it goes back. Further proves nothing, for a row may be on the
    /// stream and have been refused by a queue beside it: what is not known to be confirmed goes out
    /// again. One that goes back already stays where it is: the stream's end says nothing then.
    pub fn attach(&mut self, last: Option<Position>) -> bool {
        let (Some(last), None) = (last, self.again) else { return false };
        let back = last < self.place;
        self.place = self.place.min(last);
        back
    }

    /// How many of the next positions go out, up to the first demand that is not met yet.
    /// `demands` are those among the rows from `place + 1` on.
    pub fn go(&self, rows: usize, demands: impl IntoIterator<Item = Position>) -> usize {
        let open = demands.into_iter().find(|demand| *demand > self.heeded);
        match open.and_then(|demand| usize::try_from(demand - self.place - 1).ok()) {
            Some(before) => rows.min(before),
            None => rows,
        }
    }

    /// The next row, at `demand`, wants everything from `from` on again, itself included.
    pub fn heed(&mut self, demand: Position, from: Position) {
        self.heeded = demand;
        if from < demand {
            self.place = from.max(1) - 1;
            self.again = Some(demand);
        }
    }

    /// Everything up to `last` is confirmed.
    pub fn went(&mut self, last: Position) {
        self.place = last;
        self.again = self.again.filter(|demand| last < *demand);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Publishes a tape of `head` rows, in batches of `batch`, and tells the positions that went out
    /// and the cursor after each batch.
    fn run(
        cursor: &mut PublishCursor,
        head: Position,
        batch: usize,
        demands: &[(Position, Position)],
    ) -> String {
        let demands: BTreeMap<Position, Position> = demands.iter().copied().collect();
        let mut said = Vec::new();
        while cursor.place() < head {
            let rows = batch.min(usize::try_from(head - cursor.place()).unwrap());
            let range = cursor.place() + 1..=cursor.place() + rows as Position;
            match cursor.go(rows, demands.range(range.clone()).map(|(demand, _)| *demand)) {
                0 => cursor.heed(*range.start(), demands[range.start()]),
                count => {
                    let (first, last) = (*range.start(), range.start() + count as Position - 1);
                    cursor.went(last);
                    said.push(format!("{first}-{last}@{}", cursor.saved()));
                }
            }
        }
        said.join(" ")
    }

    #[test]
    fn everything_goes_out_in_order() {
        assert_eq!(run(&mut PublishCursor::new(0), 7, 3, &[]), "1-3@3 4-6@6 7-7@7");
        assert_eq!(run(&mut PublishCursor::new(5), 7, 3, &[]), "6-7@7");
    }

    #[test]
    fn a_demand_is_met_before_anything_else_goes_out_and_the_cursor_waits() {
        let demand = &[(6, 3)];
        assert_eq!(run(&mut PublishCursor::new(0), 8, 4, demand), "1-4@4 5-5@5 3-6@6 7-8@8");
        assert_eq!(run(&mut PublishCursor::new(0), 8, 2, demand), "1-2@2 3-4@4 5-5@5 3-4@4 5-6@6 7-8@8");
    }

    #[test]
    fn a_demand_for_everything_or_for_nothing() {
        assert_eq!(run(&mut PublishCursor::new(0), 3, 9, &[(2, 0)]), "1-1@1 1-3@3");
        assert_eq!(run(&mut PublishCursor::new(0), 3, 9, &[(2, 2)]), "1-1@1 2-3@3");
        assert_eq!(run(&mut PublishCursor::new(0), 3, 9, &[(2, 99)]), "1-1@1 2-3@3");
    }

    #[test]
    fn a_demand_within_what_is_published_again_is_not_met_twice() {
        let demands = &[(3, 1), (6, 2)];
        assert_eq!(run(&mut PublishCursor::new(0), 6, 9, demands), "1-2@2 1-5@5 2-6@6");
    }

    #[test]
    fn who_dies_while_going_back_begins_the_demand_anew() {
        let mut cursor = PublishCursor::new(0);
        cursor.went(5);
        cursor.heed(6, 2);
        cursor.went(3);
        assert_eq!(cursor.saved(), 3, "less than what was saved: nothing is saved");
        // Saved was 5, and 3 went out last.
        let mut next = PublishCursor::new(5);
        next.attach(Some(3));
        assert_eq!(run(&mut next, 7, 9, &[(6, 2)]), "4-5@5 2-7@7");
    }

    #[test]
    fn the_streams_end_is_believed_where_it_is_shorter_unless_it_goes_back() {
        let mut cursor = PublishCursor::new(8);
        assert!(!cursor.attach(Some(9)) && cursor.place() == 8, "not known to be confirmed");
        assert!(cursor.attach(Some(6)) && cursor.place() == 6, "the broker lost its end");
        assert!(!cursor.attach(None) && cursor.place() == 6, "nothing of this tape");
        cursor.heed(7, 2);
        assert!(!cursor.attach(Some(4)) && cursor.place() == 1);
    }

    #[test]
    fn a_demand_is_met_again_after_a_death_that_left_its_meeting_unsaved() {
        let mut cursor = PublishCursor::new(4);
        cursor.attach(Some(6));
        assert_eq!(run(&mut cursor, 8, 9, &[(6, 2)]), "5-5@5 2-8@8");
    }
}
