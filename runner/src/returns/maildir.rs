//! A Maildir: mails are delivered into new/, and whoever has read them moves them to cur/ with the flag that says so.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::LONGEST;

/// Mails are best taken in chunks of so many.
pub const CHUNK: usize = 200;
/// How many names are listed at once.
const LISTED: usize = 50_000;

/// A Maildir.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maildir(PathBuf);

impl Maildir {
    /// Nothing is looked at yet.
    pub fn new(path: &Path) -> Maildir {
        Maildir(path.to_owned())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the folder and its three parts where they are not there: then whoever delivers and whoever reads can be set up in any order.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn make(&self) -> io::Result<()> {
        ["new", "cur", "tmp"].iter().try_for_each(|part| fs::create_dir_all(self.0.join(part)))
    }

    /// The names of mails that nobody has read, in order, however many at once. Only files: other things in there are nobody's mail.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn unread(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.0.join("new"))? {
            let entry = entry?;
            if names.len() == LISTED {
                break;
            }
            if !entry.file_type()?.is_file() {
                continue;
            }
            // A name that is no UTF-8 is one that no mail server gives.
            if let Ok(name) = entry.file_name().into_string()
                && !name.starts_with('.')
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// A mail's beginning, as much as is ever looked at.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut raw = Vec::new();
        File::open(self.0.join("new").join(name))?.take(LONGEST as u64).read_to_end(&mut raw)?;
        Ok(raw)
    }

    /// The mail was read: it goes to cur/, seen. One that is gone was moved by somebody else.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn done(&self, name: &str) -> io::Result<()> {
        // What comes after a colon are flags that somebody gave it already.
        let unique = name.split(':').next().unwrap_or(name);
        let to = self.0.join("cur").join(format!("{unique}:2,S"));
        match fs::rename(self.0.join("new").join(name), to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            moved => moved,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_moves_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::new(&folder.path().join("bounces"));
        maildir.make().unwrap();
        maildir.make().unwrap();
        let file = |name: &str| maildir.path().join(name);
        for (name, text) in [("new/2.x", "two"), ("new/1.x:2,F", "one"), ("new/.hidden", ""), ("tmp/3.x", "")] {
            fs::write(file(name), text).unwrap();
        }
        fs::create_dir(file("new/folder")).unwrap();
        assert_eq!(maildir.unread().unwrap(), ["1.x:2,F", "2.x"]);
        assert_eq!(maildir.read("2.x").unwrap(), b"two");
        maildir.done("1.x:2,F").unwrap();
        maildir.done("2.x").unwrap();
        maildir.done("2.x").unwrap();
        assert_eq!(maildir.unread().unwrap(), [] as [&str; 0]);
        assert_eq!(fs::read(file("cur/1.x:2,S")).unwrap(), b"one");
        assert!(file("cur/2.x:2,S").exists() && file("new/.hidden").exists() && file("tmp/3.x").exists());
        fs::write(file("new/big"), vec![b'x'; LONGEST + 1]).unwrap();
        assert_eq!(maildir.read("big").unwrap().len(), LONGEST);
    }
}
