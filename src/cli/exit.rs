//! How the process ends.

/// How the process ends; the table of exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Success,
    /// Any error, usage included, and partial failure.
    Failure,
    /// There are changes, asked for by `plan --detailed-exitcode`.
    Difference,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Difference => 2,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}
