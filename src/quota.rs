//! How many requests may go out when: Apollo's fixed windows seen from our side of the wire, and outages.
//!
//! Arithmetic only: `now` is an argument, waiting is the caller's. Apollo counts per team and endpoint
//! action in three fixed windows at once (minute, hour, day) that open on first use; see the vendor's
//! "Rate limits" page.

mod backoff;
mod breaker;
mod forecast;
mod ledger;
mod pool;
mod rules;
#[cfg(test)]
mod tests;
mod window;

pub use backoff::Backoff;
pub use breaker::{Attempt, Breaker, Failed, Gate};
pub use forecast::time_left;
pub use ledger::{Admission, Ledger, Outlook, Permit, Rejection};
pub use pool::{Drawn, News, Pool, Slice, pool_of};
pub use rules::Rules;
pub use window::{Limits, Reading, Span, WindowLimit};
