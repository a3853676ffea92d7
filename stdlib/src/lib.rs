//! The wf standard library, as text: the one source for the checker, the editor, the reference and the runtime.
//!
//! A file is a module: `prelude` is in scope everywhere, a function with `self` is a method, and the rest of
//! `fs.wf` is the namespace `fs`. A bodiless function is implemented by the runtime. A file whose `//!` text begins with its
//! path, such as `std/orchestrate`, is known only where it is imported.

/// Name and text of each library file.
pub const MODULES: &[(&str, &str)] = &[
    ("prelude", include_str!("../prelude.wf")),
    ("agent", include_str!("../agent.wf")),
    ("base64", include_str!("../base64.wf")),
    ("bytes", include_str!("../bytes.wf")),
    ("csv", include_str!("../csv.wf")),
    ("fs", include_str!("../fs.wf")),
    ("hash", include_str!("../hash.wf")),
    ("json", include_str!("../json.wf")),
    ("list", include_str!("../list.wf")),
    ("map", include_str!("../map.wf")),
    ("math", include_str!("../math.wf")),
    ("number", include_str!("../number.wf")),
    ("random", include_str!("../random.wf")),
    ("string", include_str!("../string.wf")),
    ("test", include_str!("../test.wf")),
    ("time", include_str!("../time.wf")),
    ("url", include_str!("../url.wf")),
    ("yaml", include_str!("../yaml.wf")),
];
