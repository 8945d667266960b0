//! The writer's SQL whose length depends on the commit, made once per length.

use super::rows::{WIDTH, columns};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use std::{collections::BTreeMap, fmt::Write, sync::Arc};

/// Commits up to this many rows are one statement on `small_commit`. Its trigger costs a little per
/// row, a transaction of several statements costs much per commit: they meet at about a dozen rows.
pub(super) const SMALL: usize = 8;

/// Rows per INSERT of a larger commit.
const CHUNK: usize = 128;

/// Ids per question for what is recorded already.
pub(super) const IDS: usize = 256;

#[derive(Default)]
pub(super) struct Statements(BTreeMap<(Shape, usize), SqlStr>);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    Small,
    Insert,
    Move,
    Known,
}

impl Statements {
    /// `rows` rows with a cursor move in the last one.
    pub(super) fn small(&mut self, rows: usize) -> SqlStr {
        self.get(Shape::Small, rows)
    }
    pub(super) fn insert(&mut self, rows: usize) -> SqlStr {
        self.get(Shape::Insert, rows)
    }
    /// Moves `cursors` cursors, each only under its fence and only forwards.
    pub(super) fn advance(&mut self, cursors: usize) -> SqlStr {
        self.get(Shape::Move, cursors)
    }
    pub(super) fn known(&mut self, ids: usize) -> SqlStr {
        self.get(Shape::Known, ids)
    }

    fn get(&mut self, shape: Shape, n: usize) -> SqlStr {
        let sql = self.0.entry((shape, n)).or_insert_with(|| {
            let text: Arc<str> = shape.sql(n).into();
            AssertSqlSafe(text).into_sql_str()
        });
        sql.clone()
    }
}

/// The largest part of `left` rows that one INSERT takes: few lengths, so that all stay prepared.
pub(super) fn chunk(left: usize) -> usize {
    if left >= CHUNK { CHUNK } else { 1 << left.max(1).ilog2() }
}

impl Shape {
    fn sql(self, n: usize) -> String {
        match self {
            Self::Small => format!("INSERT INTO small_commit VALUES {}", tuples(n, WIDTH + 4)),
            Self::Insert => format!("INSERT INTO event VALUES {}", tuples(n, WIDTH)),
            Self::Move => format!(
                "WITH step(unit, fence, heard, reach) AS (VALUES {}) \
                 UPDATE place SET position = step.heard, reach = max(place.reach, step.reach) FROM step \
                 WHERE place.unit = step.unit AND place.fence = step.fence AND place.position <= step.heard",
                tuples(n, 4)
            ),
            Self::Known => {
                format!(concat!("SELECT ", columns!(), " FROM event WHERE id IN {}"), tuples(1, n))
            }
        }
    }
}

/// `(?,?),(?,?)`
fn tuples(n: usize, width: usize) -> String {
    let mut sql = String::with_capacity(n * (2 * width + 2));
    for tuple in 0..n {
        let comma = if tuple == 0 { "" } else { "," };
        let marks = ["?"].repeat(width).join(",");
        // Writing to a string cannot fail.
        let _ = write!(sql, "{comma}({marks})");
    }
    sql
}
