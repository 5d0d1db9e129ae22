//! The schema printed in `docs/FORMAT.md` is the one of the source, so that a verifier written from
//! the description stays right.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fmt::Write, fs, path::Path};

/// The files whose types have canonical bytes, in the order of the description.
const SOURCES: &[&str] = &[
    "types/src/hash.rs",
    "types/src/institution.rs",
    "types/src/record.rs",
    "types/src/body.rs",
    "types/src/body",
    "types/src/submission.rs",
    "types/src/outcome.rs",
    "types/src/block.rs",
    "types/src/validator.rs",
    "types/src/seal.rs",
    "types/src/fault.rs",
    "types/src/epoch.rs",
    "types/src/directory.rs",
    "types/src/state.rs",
    "types/src/object.rs",
    "types/src/object",
    "types/src/rule_pack.rs",
    "types/src/rule_pack",
    "types/src/sparse.rs",
    "types/src/evidence.rs",
    "types/src/evidence/written.rs",
    "types/src/evidence/disclosure.rs",
    "types/src/evidence/checkpoint.rs",
    "types/src/evidence/absence.rs",
    "types/src/receipt.rs",
    "genesis/src/document.rs",
    "genesis/src/entry.rs",
    "genesis/src/parameters.rs",
];

#[test]
fn the_description_holds_the_schema_of_the_source() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let schema = schema(root);
    let description = fs::read_to_string(root.join("docs/FORMAT.md")).unwrap();
    let missing: Vec<&str> =
        schema.split("\n\n").filter(|block| !description.contains(block)).collect();
    assert!(
        missing.is_empty() && description.contains(&schema),
        "docs/FORMAT.md is behind the source in these types:\n\n{}\n\nThe whole schema is now:\n\n{schema}",
        missing.join("\n\n")
    );
}

#[test]
fn the_description_holds_every_domain_tag() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let description = fs::read_to_string(root.join("docs/FORMAT.md")).unwrap();
    let source = fs::read_to_string(root.join("types/src/hash.rs")).unwrap();
    let tags: Vec<&str> = source
        .lines()
        .filter_map(|line| line.split_once(" => \"probata.")?.1.strip_suffix("\","))
        .collect();
    assert!(tags.len() > 20);
    for tag in tags {
        assert!(description.contains(&format!("| `probata.{tag}` |")), "no row for {tag}");
    }
}

#[test]
fn every_kind_of_declaration_is_read() {
    let source = "/// Doc.\n#[derive(Debug, Serialize, Deserialize)]\npub struct A {\n    /// Doc.\n    \
         pub one: List<\n        B,\n        { limits::N },\n    >,\n    pub two: Option<u8>,\n}\n\
         #[derive(Serialize)]\n#[serde(rename_all = \"snake_case\")]\npub enum B {\n    /// Doc.\n    \
         OneTwo,\n    #[serde(rename = \"self\")]\n    Oneself(Box<A>),\n    Three {\n        \
         /// Doc.\n        at: u64,\n    },\n}\n#[derive(Debug)]\npub struct Plain {\n    pub x:
         /// u8,\n}\n";
    let expected = "A = {\n  one: List<B, N>\n  two: Option<u8>\n}\n\nB =\n  0 one_two\n  1 self A\n  \
         2 three { at: u64 }\n\n";
    assert_eq!(declarations(source), expected);
}

fn schema(root: &Path) -> String {
    let mut text = String::new();
    for source in SOURCES {
        let path = root.join(source);
        if path.is_dir() {
            let mut files: Vec<_> =
                fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
            files.sort();
            for file in files.iter().filter(|file| file.is_file()) {
                text += &declarations(&fs::read_to_string(file).unwrap());
            }
        } else if path.exists() {
            text += &declarations(&fs::read_to_string(path).unwrap());
        }
    }
    // What is shared has the bytes of its parts.
    for shared in ["Submission", "Proposal"] {
        text = text.replacen(&format!("{shared}Parts = {{"), &format!("{shared} = {{"), 1);
    }
    // So is what is written in another form than it has in memory.
    for (form, whole) in [
        ("WrittenFile", "EvidenceFile"),
        ("WrittenCheckpoint", "Checkpoint"),
        ("WrittenAbsence", "AbsenceFile"),
    ] {
        text = text.replacen(&format!("{form} = {{"), &format!("{whole} = {{"), 1);
    }
    // The genesis document and a record's document share a name in the source, each in its crate.
    text = text.replacen("Document = {\n  format", "GenesisDocument = {\n  format", 1);
    // So do a motion as it is made and as it stands.
    let made = text.find("\nMotion = {").unwrap() + 1;
    let stands = text.rfind("\nMotion = {").unwrap() + 1;
    assert!(made < stands, "there are two motions");
    text.replace_range(stands..stands + 6, "MotionState");
    text = text.replacen("\n  4 motion Motion\n", "\n  4 motion MotionState\n", 1);
    text += &bounds(root, &text);
    text.trim_end().to_owned()
}

/// The limits that the schema names, with their values.
fn bounds(root: &Path, schema: &str) -> String {
    let mut text = String::from("Bounds\n");
    for file in ["types/src/limits.rs", "genesis/src/limits.rs"] {
        for line in fs::read_to_string(root.join(file)).unwrap().lines() {
            let Some((name, value)) =
                line.strip_prefix("pub const ").and_then(|rest| rest.split_once(": usize = "))
            else {
                continue;
            };
            if schema.contains(&format!(" {name}>")) || schema.contains(&format!("<{name}>")) {
                writeln!(text, "  {name} = {}", value.trim_end_matches(';')).unwrap();
            }
        }
    }
    text
}

/// The structs and enums with canonical bytes that a source file declares.
fn declarations(source: &str) -> String {
    let mut text = String::new();
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut lines = source.lines();
    let (mut canonical, mut snake_case) = (false, false);
    while let Some(line) = lines.next() {
        let named = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(super) "));
        let named = named.unwrap_or(line);
        if line.starts_with("#[derive(") {
            canonical = line.contains("Serialize");
        } else if line.starts_with("    Debug, ") {
            // A derive that took more than one line.
            canonical = line.contains("Serialize");
        } else if line.contains("rename_all = \"snake_case\"") {
            snake_case = true;
        } else if line.contains(", into = \"") {
            canonical = false;
        } else if let Some(name) = named.strip_prefix("struct ") {
            if let (true, Some(name)) = (canonical, name.strip_suffix(" {")) {
                let fields = body(&mut lines).join("\n  ");
                writeln!(text, "{name} = {{\n  {fields}\n}}\n").unwrap();
            }
            (canonical, snake_case) = (false, false);
        } else if let Some(name) = named.strip_prefix("enum ") {
            if let (true, Some(name)) = (canonical, name.strip_suffix(" {")) {
                writeln!(text, "{name} =").unwrap();
                for (index, variant) in body(&mut lines).iter().enumerate() {
                    writeln!(text, "  {index} {}", spelled(variant, snake_case)).unwrap();
                }
                text.push('\n');
            }
            (canonical, snake_case) = (false, false);
        }
    }
    text
}

/// The fields or variants of a declaration, each on one line, without comments and visibility.
fn body<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Vec<String> {
    let code = lines.take_while(|line| *line != "}").map(str::trim);
    let code = code.filter(|line| !line.starts_with("//")).collect::<Vec<_>>().join(" ");
    let mut items = Vec::new();
    let (mut item, mut depth) = (String::new(), 0i32);
    for c in code.chars() {
        depth += match c {
            '<' | '{' | '(' | '[' => 1,
            '>' | '}' | ')' | ']' => -1,
            _ => 0,
        };
        if c == ',' && depth == 0 {
            items.push(tidy(&item));
            item.clear();
        } else {
            item.push(c);
        }
    }
    if !item.trim().is_empty() {
        items.push(tidy(&item));
    }
    items
}

fn tidy(item: &str) -> String {
    let words: Vec<&str> = item.split_whitespace().filter(|word| *word != "pub").collect();
    let mut text = words.join(" ");
    for (from, to) in [
        ("{ limits::", ""),
        ("{ types::", ""),
        (" }>", ">"),
        (" }, >", ">"),
        ("< ", "<"),
        (", >", ">"),
        (", }", " }"),
        ("super::", ""),
        ("{ FORMAT.len()>", "15>"),
    ] {
        text = text.replace(from, to);
    }
    // A box has the bytes of what it holds.
    while let Some(start) = text.find("Box<") {
        let end = start + text[start..].find('>').unwrap();
        text.replace_range(end..=end, "");
        text.replace_range(start..start + 4, "");
    }
    text
}

/// A variant by its name in JSON, and what it holds.
fn spelled(variant: &str, snake_case: bool) -> String {
    let (rename, rest) = match variant.strip_prefix("#[serde(rename = \"") {
        Some(rest) => {
            let (name, rest) = rest.split_once("\")] ").unwrap();
            (Some(name), rest)
        }
        None => (None, variant),
    };
    let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
    let (name, holds) = rest.split_at(end);
    let name = match rename {
        Some(name) => name.to_owned(),
        None if snake_case => snake(name),
        None => name.to_owned(),
    };
    let holds = holds.trim();
    let holds = holds.strip_prefix('(').map_or(holds, |one| one.trim_end_matches(')'));
    format!("{name} {holds}").trim_end().to_owned()
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for (at, c) in name.chars().enumerate() {
        if c.is_uppercase() && at > 0 {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}
