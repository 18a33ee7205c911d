//! Which files of a list are wanted: by their paths, and by what was said of them.

/// A part of a pattern that stands for any number of folders.
const ANY_FOLDERS: &str = "**";

/// Which files are wanted. An empty list is no condition, an empty text stands for nothing said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileFilter {
    /// The formats, one of which a file must have.
    pub formats: Vec<String>,
    /// The contents, one of which a file must have.
    pub contents: Vec<String>,
    /// The paths.
    pub paths: PathFilter,
}

impl FileFilter {
    /// Whether files of this format and content are wanted.
    pub fn accepts_notes(&self, format: &str, content: &str) -> bool {
        let fits = |wanted: &[String], had: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == had);
        fits(&self.formats, format) && fits(&self.contents, content)
    }

    /// Whether a file at this path, of this format and content, is wanted.
    pub fn accepts(&self, path: &str, format: &str, content: &str) -> bool {
        self.paths.accepts(path) && self.accepts_notes(format, content)
    }
}

/// Which paths within a resource are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PathFilter {
    /// All.
    #[default]
    All,
    /// This path alone.
    File(String),
    /// Those that fit a pattern, given by its parts between slashes: `*` stands for any characters within a part, the
    /// part `**` for any number of folders, and at the end for all that lies below.
    Pattern(Vec<String>),
}

impl PathFilter {
    /// Reads what stands behind `files/` in an address. A folder, which ends in a slash there, stands for all files below
    /// it, or for those in it alone unless they are wanted `recursive`ly.
    pub fn parse(path: &str, is_folder: bool, recursive: bool) -> Self {
        let mut parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        if !is_folder && !parts.is_empty() {
            return match parts.iter().any(|part| part.contains('*')) {
                true => Self::Pattern(parts),
                false => Self::File(path.to_owned()),
            };
        }
        if recursive && parts.is_empty() {
            return Self::All;
        }
        parts.push(if recursive { ANY_FOLDERS } else { "*" }.to_owned());
        Self::Pattern(parts)
    }

    /// Whether a path is wanted.
    pub fn accepts(&self, path: &str) -> bool {
        match self {
            Self::All => true,
            Self::File(wanted) => path == wanted,
            Self::Pattern(parts) => {
                let names: Vec<&str> = path.split('/').collect();
                let ends_below = parts.last().is_some_and(|part| part == ANY_FOLDERS);
                let Some((name, folders)) = names.split_last() else { return false };
                match (ends_below, parts.split_last()) {
                    // What lies below is a file at least, which the last part stands for.
                    (true, _) => fits(parts, folders, |part| part == ANY_FOLDERS, |part, name| fits_name(part, name)),
                    (false, Some((last, above))) => {
                        fits_name(last, name)
                            && fits(above, folders, |part| part == ANY_FOLDERS, |part, name| fits_name(part, name))
                    }
                    (false, None) => false,
                }
            }
        }
    }
}

/// Whether a name fits a part of a pattern, in which `*` stands for any characters.
fn fits_name(part: &str, name: &str) -> bool {
    let (part, name): (Vec<char>, Vec<char>) = (part.chars().collect(), name.chars().collect());
    fits(&part, &name, |c| *c == '*', |wanted, had| wanted == had)
}

/// Whether items fit a pattern of some that are alike and some that stand for any number of items. Takes at most as many
/// steps as both are long, multiplied.
fn fits<P, T>(pattern: &[P], items: &[T], is_any: impl Fn(&P) -> bool, is_like: impl Fn(&P, &T) -> bool) -> bool {
    let (mut in_pattern, mut in_items) = (0, 0);
    // Behind the last `any`, and how many items it and all before it have taken.
    let mut resume: Option<(usize, usize)> = None;
    while let Some(item) = items.get(in_items) {
        match pattern.get(in_pattern) {
            Some(part) if is_any(part) => {
                in_pattern += 1;
                resume = Some((in_pattern, in_items));
            }
            Some(part) if is_like(part, item) => {
                in_pattern += 1;
                in_items += 1;
            }
            _ => {
                let Some((behind, taken)) = resume else { return false };
                resume = Some((behind, taken + 1));
                (in_pattern, in_items) = (behind, taken + 1);
            }
        }
    }
    pattern.iter().skip(in_pattern).all(is_any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(filter: &PathFilter, wanted: &[&str], others: &[&str]) {
        wanted.iter().for_each(|path| assert!(filter.accepts(path), "{filter:?} {path}"));
        others.iter().for_each(|path| assert!(!filter.accepts(path), "{filter:?} {path}"));
    }

    #[test]
    fn a_folder_stands_for_what_is_below_it_or_in_it() {
        check(&PathFilter::parse("a", true, true), &["a/x", "a/b/x"], &["a", "ab/x", "b/a/x"]);
        check(&PathFilter::parse("a", true, false), &["a/x"], &["a", "a/b/x", "ab/x"]);
        check(&PathFilter::parse("", true, false), &["x"], &["a/x"]);
        assert_eq!(PathFilter::parse("", true, true), PathFilter::All);
        assert_eq!(PathFilter::parse("", false, true), PathFilter::All);
        check(&PathFilter::parse("s*", true, true), &["s1/x", "s2/a/x", "s/x"], &["s1", "t/x", "a/s1/x"]);
    }

    #[test]
    fn patterns_stand_for_parts_of_names_and_for_folders() {
        let parsed = |text| PathFilter::parse(text, false, true);
        check(&parsed("*"), &["x", ".x", "ä*"], &["a/x"]);
        check(&parsed("a/*"), &["a/x"], &["a", "a/b/x", "x"]);
        check(&parsed("*.nii*"), &["x.nii", "x.nii.gz", ".nii"], &["x.ni", "a/x.nii"]);
        check(&parsed("**"), &["x", "a/x", "a/b/x"], &[]);
        check(&parsed("a/**"), &["a/x", "a/b/x"], &["a", "b/x"]);
        check(&parsed("**/*.json"), &["x.json", "a/x.json", "a/b/x.json"], &["x.txt", "x.json/a"]);
        check(&parsed("a/**/x"), &["a/x", "a/b/x", "a/b/c/x"], &["x", "a/x/b", "b/a/x"]);
        check(&parsed("**/a/**/x*"), &["a/x", "b/a/x1", "a/a/x", "b/a/c/x2"], &["x", "b/x"]);
        check(&parsed("a*b*c"), &["abc", "a-b-b-c"], &["ab", "acb", "abcd"]);
        check(&parsed("a/x"), &["a/x"], &["a/xy", "x"]);
    }

    #[test]
    fn a_hostile_pattern_takes_no_more_steps_than_the_lengths_multiplied() {
        let pattern = "*a".repeat(400);
        let filter = PathFilter::parse(&pattern, false, true);
        assert!(!filter.accepts(&"a".repeat(1_000).replace("aaaa", "aab")));
        let folders = PathFilter::parse(&"**/a/".repeat(30), false, true);
        assert!(!folders.accepts(&format!("{}b", "a/".repeat(20))));
    }

    #[test]
    fn files_are_also_chosen_by_format_and_content() {
        let filter = FileFilter {
            formats: vec!["NIFTI".to_owned()],
            paths: PathFilter::parse("a", true, true),
            ..Default::default()
        };
        assert!(filter.accepts("a/x", "NIFTI", "any"));
        assert!(!filter.accepts("a/x", "JSON", "any"));
        assert!(!filter.accepts("b/x", "NIFTI", "any"));
    }
}
