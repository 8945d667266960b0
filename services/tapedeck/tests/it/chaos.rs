//! A short form of the example `chaos`.

use crate::{
    fleet::{
        Servers, alone,
        chaos::{self, Options},
    },
    fleets::{LONG, program},
    support::Seed,
};
use std::time::Duration;

#[test]
fn whatever_dies_or_stands_still_nothing_is_lost_or_doubled() {
    let _alone = alone();
    let mut seed = Seed::new("chaos");
    let options = Options {
        kills: 6,
        gap: Duration::from_secs(3),
        stop: Duration::from_secs(8),
        days: 120,
        run: seed.below(2) as u32,
        all: false,
        patience: LONG,
    };
    let (report, _servers) = chaos::run(&program(), Servers::start(), &options, &mut seed);
    println!("{report}");
    assert_eq!(report.kills(), 6);
}
