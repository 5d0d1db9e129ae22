//! The tables of a document that a program writes: whoever measures again rewrites them, and nothing else.
//!
//! A table stands between two lines, `<!-- bench:begin NAME -->` and `<!-- bench:end -->`.

use crate::trouble::Trouble;
use std::path::Path;

const END: &str = "<!-- bench:end -->";

/// Writes what stands under a name in a document anew.
///
/// # Errors
/// [`Trouble`] if the document cannot be read or written, or has no place of that name.
pub(crate) fn write(path: &Path, name: &str, content: &str) -> Result<(), Trouble> {
    let at = |error: String| Trouble::new(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| at(error.to_string()))?;
    let text = rewritten(&text, name, content).map_err(|error| at(error.to_string()))?;
    std::fs::write(path, text).map_err(|error| at(error.to_string()))
}

/// The text with other content under a name.
fn rewritten(text: &str, name: &str, content: &str) -> Result<String, Trouble> {
    let begin = format!("<!-- bench:begin {name} -->");
    let no = |mark: &str| Trouble::new(format!("it has no line {mark} for {name}"));
    let (before, rest) = text.split_once(&begin).ok_or_else(|| no(&begin))?;
    let (old, after) = rest.split_once(END).ok_or_else(|| no(END))?;
    if old.contains("<!-- bench:begin ") {
        return Err(no(END));
    }
    Ok(format!("{before}{begin}\n{}\n{END}{after}", content.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# A\n<!-- bench:begin one -->\nold\n<!-- bench:end -->\nb\n<!-- bench:begin two -->\n<!-- bench:end -->\nc\n";

    #[test]
    fn only_what_stands_under_the_name_is_written_anew() {
        let text = rewritten(TEXT, "one", "| x |\n").unwrap();
        assert_eq!(text, TEXT.replace("old", "| x |"));
        let text = rewritten(&text, "two", "y").unwrap();
        assert!(
            text.ends_with("b\n<!-- bench:begin two -->\ny\n<!-- bench:end -->\nc\n"),
            "{text}"
        );
        assert_eq!(rewritten(&text, "two", "y").unwrap(), text);
    }

    #[test]
    fn a_place_that_is_not_there_or_has_no_end_is_refused() {
        assert!(rewritten(TEXT, "three", "").is_err());
        let cut = TEXT.replacen(END, "", 1);
        assert!(rewritten(&cut, "one", "").is_err(), "the end would be another one's");
        assert!(rewritten(&cut, "two", "").is_ok());
    }

    #[test]
    fn a_file_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        assert!(write(&path, "one", "").is_err());
        std::fs::write(&path, TEXT).unwrap();
        write(&path, "one", "new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), TEXT.replace("old", "new"));
    }
}
