//! Applies against the sandbox in this process, over a line that can be cut at every request and a
//! store that can fail at every commit.

mod batches;
mod indexed;
mod line;
mod nobody_else;
mod odd_answers;
mod outages;
mod probe;
mod regressions;
mod saved;
mod servers;
mod steps;
mod together;
mod waits;
mod world;
