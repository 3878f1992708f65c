//! By example, and: kept up to date is the same as worked out anew.
