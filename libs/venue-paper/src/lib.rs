//! The paper exchange: a spot venue as a pure service.
//!
//! [`engine`] is the exchange itself and knows no event: accounts, orders, rules, matching.
//! [`VenuePaper`] is the thin unit around it: what it hears becomes facts of the market and requests
//! to the engine, and the engine's reports become what it says.
//!
//! # The matching rule
//!
//! On candles nobody knows the path inside a bar, so every doubt goes against us.
//!
//! 1. **Neither future nor past.** An order trades only on a candle that opened at or after its
//!    acceptance, or on a quote seen at or after it.
//! 2. **Only the finest series fills.** A candle fills only if it opens at or after the close of the
//!    last one that did. The feed delivers the finest first, so a coarser candle that overlaps what
//!    finer ones have covered never fills; where the finer series ends, the coarser one takes over
//!    with its first candle that opens behind it.
//! 3. **Volume.** All orders of an instrument together get `participation` of a candle's volume, in
//!    the order of their acceptance. A quote offers the same part of the last candle that filled;
//!    what was taken at quotes is taken off the next candle's offer. Before any candle there is
//!    nothing to be had.
//! 4. **Takers wait for the next price.** A market order, an IOC, a FOK and a limit that reaches the
//!    last known price ask for a quote and execute at it: worsened by `slippage_ratio`, rounded to
//!    the tick against us, and never beyond a limit (where the quote is within the limit and the
//!    worsened price is not, the limit is the price). If no quote comes, the open of the next candle
//!    that fills is their price.
//! 5. **Makers must be traded through.** A resting sell at P trades when `high > P`, a buy when
//!    `low < P`, at P even if the candle opens beyond it.
//! 6. **Stops.** A stop is reached when the range touches it. It executes at the stop, or at the open
//!    where that is worse, worsened as above; a take-profit at its stop, even if the open is better.
//!    One with a limit trades there only if the worsened price is within it; else it rests at its
//!    limit from then on, and in the same candle trades only if that opened beyond the stop and then
//!    traded through the limit.
//! 7. **A stop is never dropped.** What the volume did not allow of a triggered stop goes on at the
//!    next price (the next candle's open, or a quote), worsened, within its limit. A real venue would
//!    walk the book at once. The remainder of a plain market order expires, as on a thin book.
//! 8. **OCO.** If both legs could trade in one candle, the stop does, unless the candle opened beyond
//!    the other leg. The twin ends `Expired` when a leg triggers or trades.
//! 9. A fill on a candle happens at its close, when it could first be known; one on a quote at the
//!    quote's time.
//!
//! # The matching rule on best prices
//!
//! A live market quotes a bid and an ask with each price ([`events::BestPrices`]); then the rules above hold with these
//! differences.
//!
//! 1. **Takers** get the ask when they buy and the bid when they sell, without slippage up to what is shown there; who
//!    wants more gets all of it worsened.
//! 2. **Stops** are triggered by the price that they would take, and take it.
//! 3. **Makers** trade at their price as soon as a best price reaches it.
//! 4. **Volume.** What a quote shows is to be had, however little the last candle traded. What was taken of it is gone
//!    until it shows another price or quantity.
//! 5. Candles go on to fill what no quote has filled.
//!
//! A quote without them is the open of a candle that is played, and triggers nothing: the candle will tell.
//!
//! # The matching rule on books
//!
//! A market trades on books from the first book that [`engine::Spot`] is shown of it; the unit's never do.
//! Then candles and quotes fill nothing, nothing slips artificially, and nothing waits.
//!
//! 1. **Takers trade at once**, price by price, each level being one fill. What they take of others is
//!    gone until the next book. A market order, an IOC or a triggered stop without a limit that finds
//!    too little keeps what it got and expires; a FOK that does not find all expires whole; a limit rests.
//! 2. **Price, then time.** Others at a price come before ours, but for what came after ours did. An
//!    order of ours counts what stands before it when it comes; trades there and books that show less
//!    let it move up, books that show more do not set it back. Ours among themselves go by when they
//!    came to the book; an iceberg goes to the end whenever it shows its next part.
//! 3. **Others' trades** fill ours that they trade through, up to their quantity: at a price beyond ours
//!    at once, at our price once what stood before us is gone.
//! 4. **A book that crosses ours** fills ours at our own price, with what it has at prices that reach it.
//! 5. **Stops** are triggered by trades, others' and ours, and are takers from then on, in the order of
//!    their acceptance; what their own trades trigger comes after them. They meet the book that the trade has
//!    left ([`engine::Spot::see_market`] is told both at once), so none fills better than what triggered it. A trailing stop follows the best
//!    trade since it was activated; an untriggered stop is judged on acceptance by the last trade.
//! 6. **OCO.** As soon as a leg triggers or trades, the other one expires.
//! 7. **Ours against ours** trade with each other or, by the taker's mode, are kept from it: the match is
//!    reported as prevented, and what it ends expires.
//! 8. **Lists that wait** (OTO, OTOCO, OPO, OPOCO). Once the working order is filled, and what its trades
//!    trigger has had its turn, the pending ones come to the book as if they were placed then.
//! 9. A market order must be paid for in full, by what the book asks for it, or it is rejected.

mod config;
pub mod engine;
mod service;
mod translate;

pub use config::{Config, Problem};
pub use service::{State, VenuePaper};
