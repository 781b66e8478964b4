//! How many contacts one request is for.

use super::BulkCreate;

/// How many contacts go out in one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// Contacts of one request, at most; 1 sends each by a request of its own.
    pub size: usize,
    /// Contacts of the first request that creates many, at most: it shows what becomes of them.
    pub first: usize,
    /// Whether new contacts are looked for before they go out with others; without that, Apollo's page is trusted, which
    /// says that whoever is there stays as it was.
    pub looks: bool,
    /// Whether Apollo is asked first if many may be created in one request, which takes one that creates nobody.
    pub asks: bool,
}

impl Batching {
    /// Most contacts of a request, as Apollo takes them.
    pub const MOST: usize = 100;

    /// Most contacts of the first batch of a state.
    pub const FIRST: usize = 10;

    /// Sends each contact by a request of its own.
    pub const ALONE: Self = Self { size: 1, first: 1, looks: true, asks: false };

    /// Returns the batches of a state that knows what becomes of them.
    #[must_use]
    pub fn knowing(self, known: Option<BulkCreate>) -> Self {
        let first = if known == Some(BulkCreate::Proven) { self.size } else { self.first };
        Self { first, asks: known.is_none(), ..self }
    }

    /// Sends up to `size` contacts in one request, and up to [`Batching::FIRST`] by the first.
    pub fn of(size: usize) -> Self {
        Self { size, first: size.min(Self::FIRST), looks: true, asks: false }
    }
}

impl Default for Batching {
    fn default() -> Self {
        Self::of(Self::MOST)
    }
}
