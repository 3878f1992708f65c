//! Small projects and their tests: what passes, what fails, and what is said about it.
