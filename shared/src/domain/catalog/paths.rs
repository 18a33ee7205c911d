//! Paths that cannot stand together.

/// Looks for paths that are folders of others, while paths come in order.
#[derive(Debug, Default)]
pub(crate) struct Clashes {
    /// The paths before this one that it begins with.
    open: Vec<String>,
}

impl Clashes {
    /// Takes the next path; gives the one before it that is one of its folders.
    pub fn next(&mut self, path: &str) -> Option<String> {
        while self.open.last().is_some_and(|open| !path.starts_with(open.as_str())) {
            self.open.pop();
        }
        let is_folder = |open: &&String| path.as_bytes().get(open.len()) == Some(&b'/');
        let folder = self.open.iter().find(is_folder).cloned();
        self.open.push(path.to_owned());
        folder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_a_folder_of_others_is_found_however_far_behind_they_come() {
        let clashes = |paths: &[&str]| {
            let mut clashes = Clashes::default();
            paths.iter().filter_map(|path| clashes.next(path)).collect::<Vec<_>>()
        };
        assert_eq!(clashes(&["a", "a-b", "a.txt", "a/b", "b"]), ["a"]);
        assert_eq!(clashes(&["a/b", "a/b.x", "a/b/c", "a/bc"]), ["a/b"]);
        assert!(clashes(&["a", "ab/c", "b/a", "b/ab"]).is_empty());
    }
}
