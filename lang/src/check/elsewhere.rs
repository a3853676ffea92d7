//! What other languages call the methods of the library.

/// A word of another language, with the methods that may be meant; which of them, the receiver decides.
const NAMES: &[(&str, &[&str])] = &[
    ("abs_diff", &["abs"]),
    ("accumulate", &["reduce"]),
    ("add", &["push"]),
    ("addAll", &["merge"]),
    ("addFirst", &["insert"]),
    ("addLast", &["push"]),
    ("aggregate", &["reduce"]),
    ("allMatch", &["all"]),
    ("anyMatch", &["any"]),
    ("append", &["push"]),
    ("as_millis", &["millis"]),
    ("as_secs", &["seconds"]),
    ("assign", &["merge"]),
    ("associateBy", &["to_map"]),
    ("back", &["last"]),
    ("batched", &["chunks"]),
    ("begins_with", &["starts_with"]),
    ("bytes", &["to_bytes"]),
    ("casefold", &["lower"]),
    ("ceiling", &["ceil"]),
    ("characters", &["chars"]),
    ("chomp", &["trim_end"]),
    ("chunk", &["chunks"]),
    ("chunked", &["chunks"]),
    ("collect", &["map"]),
    ("concatMap", &["flat_map"]),
    ("count", &["len"]),
    ("decode", &["text"]),
    ("dedup", &["unique"]),
    ("del", &["remove"]),
    ("delete", &["remove"]),
    ("deleteAt", &["remove"]),
    ("delete_at", &["remove"]),
    ("distinct", &["unique"]),
    ("distinctBy", &["unique_by"]),
    ("downcase", &["lower"]),
    ("each_slice", &["chunks"]),
    ("ellipsize", &["truncate"]),
    ("empty", &["is_empty"]),
    ("encode", &["to_bytes"]),
    ("endsWith", &["ends_with"]),
    ("ends_with?", &["ends_with"]),
    ("endswith", &["ends_with"]),
    ("every", &["all"]),
    ("exec", &["captures"]),
    ("exists", &["any"]),
    ("fabs", &["abs"]),
    ("fields", &["words"]),
    ("filter_map", &["flat_map"]),
    ("findAll", &["find_all", "filter"]),
    ("findIndex", &["find_index", "find"]),
    ("find_iter", &["find_all"]),
    ("findall", &["find_all", "filter"]),
    ("flat", &["flatten"]),
    ("flatMap", &["flat_map"]),
    ("float", &["to_float"]),
    ("floordiv", &["div"]),
    ("fold", &["reduce"]),
    ("foldl", &["reduce"]),
    ("forall", &["all"]),
    ("front", &["first"]),
    ("getBytes", &["to_bytes"]),
    ("groupBy", &["group_by"]),
    ("groups", &["captures"]),
    ("gsub", &["replace_re"]),
    ("hasPrefix", &["starts_with"]),
    ("hasSuffix", &["ends_with"]),
    ("has_prefix", &["starts_with"]),
    ("has_suffix", &["ends_with"]),
    ("head", &["first"]),
    ("index", &["index_of", "find"]),
    ("indexOf", &["index_of", "find"]),
    ("index_by", &["to_map"]),
    ("index_of", &["find"]),
    ("inject", &["reduce"]),
    ("insert", &["set"]),
    ("int", &["to_int"]),
    ("isEmpty", &["is_empty"]),
    ("is_blank", &["is_empty"]),
    ("is_match", &["matches"]),
    ("items", &["entries"]),
    ("iteritems", &["entries"]),
    ("keyBy", &["to_map"]),
    ("length", &["len"]),
    ("limit", &["take"]),
    ("ljust", &["pad_end"]),
    ("lowercase", &["lower"]),
    ("lstrip", &["trim_start"]),
    ("ltrim", &["trim_start"]),
    ("mapValues", &["map_values"]),
    ("match", &["matches", "captures"]),
    ("matchAll", &["find_all"]),
    ("maxBy", &["max_by"]),
    ("maximum", &["max"]),
    ("milliseconds", &["millis"]),
    ("minBy", &["min_by"]),
    ("minimum", &["min"]),
    ("order", &["sorted"]),
    ("orderBy", &["sorted_by"]),
    ("order_by", &["sorted_by"]),
    ("padEnd", &["pad_end"]),
    ("padLeft", &["pad_start"]),
    ("padRight", &["pad_end"]),
    ("padStart", &["pad_start"]),
    ("parseFloat", &["to_float"]),
    ("parseInt", &["to_int"]),
    ("parse_int", &["to_int"]),
    ("pop", &["remove"]),
    ("pop_front", &["remove"]),
    ("popleft", &["remove"]),
    ("position", &["find_index", "find"]),
    ("prepend", &["insert"]),
    ("push_back", &["push"]),
    ("push_front", &["insert"]),
    ("put", &["set"]),
    ("putAll", &["merge"]),
    ("removeAt", &["remove"]),
    ("replaceAll", &["replace"]),
    ("replace_all", &["replace"]),
    ("rev", &["reversed"]),
    ("reverse", &["reversed"]),
    ("rjust", &["pad_start"]),
    ("rstrip", &["trim_end"]),
    ("rtrim", &["trim_end"]),
    ("scan", &["find_all"]),
    ("search", &["find"]),
    ("select", &["filter"]),
    ("shift", &["remove"]),
    ("size", &["len"]),
    ("skip", &["drop"]),
    ("some", &["any"]),
    ("sort", &["sorted"]),
    ("sortBy", &["sorted_by"]),
    ("sort_by", &["sorted_by"]),
    ("sort_by_key", &["sorted_by"]),
    ("splice", &["remove"]),
    ("splitLines", &["lines"]),
    ("split_whitespace", &["words"]),
    ("splitlines", &["lines"]),
    ("startsWith", &["starts_with"]),
    ("startswith", &["starts_with"]),
    ("str", &["to_string"]),
    ("strftime", &["format"]),
    ("strip", &["trim"]),
    ("sub", &["replace_re"]),
    ("sumBy", &["sum"]),
    ("sum_by", &["sum"]),
    ("tail", &["drop"]),
    ("test", &["matches"]),
    ("toDict", &["to_map"]),
    ("toFixed", &["round"]),
    ("toLowerCase", &["lower"]),
    ("toReversed", &["reversed"]),
    ("toSorted", &["sorted"]),
    ("toString", &["to_string", "text"]),
    ("toUpperCase", &["upper"]),
    ("to_dict", &["to_map"]),
    ("to_f", &["to_float"]),
    ("to_i", &["to_int"]),
    ("to_lower", &["lower"]),
    ("to_lowercase", &["lower"]),
    ("to_s", &["to_string"]),
    ("to_str", &["to_string"]),
    ("to_upper", &["upper"]),
    ("to_uppercase", &["upper"]),
    ("total_seconds", &["seconds"]),
    ("transform_values", &["map_values"]),
    ("trimEnd", &["trim_end"]),
    ("trimLeft", &["trim_start"]),
    ("trimRight", &["trim_end"]),
    ("trimStart", &["trim_start"]),
    ("trunc", &["to_int"]),
    ("truncate", &["to_int"]),
    ("uniq", &["unique"]),
    ("uniqBy", &["unique_by"]),
    ("unshift", &["insert"]),
    ("upcase", &["upper"]),
    ("update", &["merge"]),
    ("uppercase", &["upper"]),
    ("where", &["filter"]),
    ("zfill", &["pad_start"]),
];

/// What is no method here, and how it is written.
const PHRASES: &[(&[&str], &str)] = &[
    (
        &[
            "includes",
            "contains",
            "has",
            "include",
            "has_key",
            "hasOwnProperty",
            "containsKey",
            "contains_key",
            "member",
        ],
        "ask with `in`: `x in xs`",
    ),
    (&["slice", "substring", "substr", "subList", "subarray"], "take a part with a range: `x[1..3]`, `x[..-1]`"),
    (&["charAt", "char_at", "at", "nth", "elementAt", "get"], "read it by its index: `x[0]`, `x[-1]` for the last"),
    (&["concat", "extend", "append_all", "push_str", "addAll", "join_with"], "join with `+`: `a + b`"),
    (&["format", "sprintf", "concat_with"], "put values into text: `\"… ${value}\"`"),
    (&["forEach", "for_each", "each", "foreach"], "write a loop: `for x in xs { … }`"),
    (&["enumerate", "each_with_index", "withIndex"], "write a loop with the index: `for i, x in xs { … }`"),
    (&["iter", "into_iter", "iterator", "stream", "to_list", "toList", "to_vec", "toArray", "to_a"], "leave it out"),
    (&["then", "await"], "leave it out: every call waits by itself"),
    (&["unwrap", "unwrap_or", "or_else", "orElse", "getOrElse"], "give another value for null with `??`"),
    (&["is_some", "is_none", "is_null", "isNull", "isPresent"], "compare with null: `x == null`, `x != null`"),
    (&["clear"], "assign an empty one: `x = []`, `x = {}`"),
    (&["clone", "copy", "deepcopy", "dup"], "assign it: values are copied, never shared"),
    (&["isoformat", "toISOString", "to_iso8601"], "put it into text: `\"${t}\"` is RFC 3339"),
    (&["as_str", "asString", "to_owned"], "leave it out: there is one kind of string"),
];

/// What other languages call the functions of a namespace.
const MEMBERS: &[(&str, &[&str], &str)] = &[
    ("json", &["loads", "load", "decode", "deserialize", "from_str", "Unmarshal"], "parse"),
    ("json", &["dumps", "dump", "encode", "serialize", "to_string", "generate", "Marshal"], "stringify"),
    ("csv", &["loads", "load", "read", "reader", "DictReader", "decode"], "parse"),
    ("csv", &["dumps", "write", "writer", "DictWriter", "encode", "generate"], "stringify"),
    ("yaml", &["load", "loads", "safe_load", "decode", "from_str"], "parse"),
    ("base64", &["b64encode", "encode64", "EncodeToString"], "encode"),
    ("base64", &["b64decode", "decode64", "DecodeString"], "decode"),
    ("hash", &["sha", "sha2", "hexdigest", "digest", "Sum256"], "sha256"),
    ("url", &["quote", "escape", "QueryEscape", "encodeURIComponent"], "encode"),
    ("url", &["unquote", "unescape", "QueryUnescape", "decodeURIComponent"], "decode"),
    ("url", &["urlparse", "urlsplit"], "parse"),
    ("math", &["power"], "pow"),
    ("math", &["ln"], "log"),
    ("random", &["randint", "randrange", "Intn", "gen_range", "integer", "between"], "int"),
    ("random", &["random", "uniform", "Float64", "rand"], "float"),
    ("random", &["choice", "sample", "choose"], "pick"),
    ("time", &["time", "current", "utcnow", "Now", "today"], "now"),
    ("time", &["fromisoformat", "strptime", "from_iso", "Parse"], "parse"),
];

/// What other languages call a function that is written otherwise here.
const FUNCTIONS: &[(&[&str], &str)] = &[
    (&["enumerate"], "write a loop with the index: `for i, x in xs { … }`"),
    (&["range", "xrange"], "write a range: `0..n`"),
    (&["str", "String", "repr"], "put the value into text: `\"${value}\"`"),
    (&["parseInt", "parse_int", "Number", "atoi"], "read a number from text: `text.to_int()`, null when it is none"),
    (&["parseFloat", "parse_float"], "read a number from text: `text.to_float()`, null when it is none"),
    (&["setTimeout", "wait"], "wait with `sleep(2s)`"),
    (&["isinstance", "typeof"], "check a type with `match x { n: int => …, _ => … }`"),
    (&["Array", "Vec", "vec"], "write a list: `[1, 2]`"),
    (&["dict", "Map", "HashMap", "Object"], "write a record or map: `{ key: value }`"),
];

/// What other languages call types with angle brackets, how many types they hold, and how they are written for the last.
const TYPES: &[(&[&str], &[usize], &str)] = &[
    (
        &["Array", "ReadonlyArray", "List", "list", "array", "Vec", "Set", "set", "HashSet", "Sequence", "Iterable"],
        &[1],
        "[_]",
    ),
    (&["Map", "Record", "Dict", "dict", "HashMap", "Mapping", "BTreeMap"], &[1, 2], "map<_>"),
    (&["Optional", "Option", "Maybe", "Nullable"], &[1], "_?"),
    (&["Promise", "Future", "Awaitable"], &[1], "_"),
];

/// How a type of another language is written that holds so many types; `_` stands for the last of them.
pub(super) fn type_of(word: &str, count: usize) -> Option<&'static str> {
    TYPES.iter().find(|(words, counts, _)| words.contains(&word) && counts.contains(&count)).map(|(_, _, form)| *form)
}

/// How a function of another language is written.
pub(super) fn function(word: &str) -> Option<&'static str> {
    FUNCTIONS.iter().find(|(words, _)| words.contains(&word)).map(|(_, help)| *help)
}

/// What a function of a namespace is called here.
pub(super) fn member(namespace: &str, word: &str) -> Option<&'static str> {
    MEMBERS.iter().find(|(of, words, _)| *of == namespace && words.contains(&word)).map(|(_, _, here)| *here)
}

/// The words that [`meant`] knows.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(there, _)| *there)
}

/// The methods that a word of another language may mean.
pub(super) fn meant(word: &str) -> &'static [&'static str] {
    NAMES
        .binary_search_by_key(&word, |(there, _)| there)
        .ok()
        .and_then(|at| NAMES.get(at))
        .map_or(&[], |(_, here)| here)
}

/// How something is written that other languages have a method for.
pub(super) fn phrase(word: &str) -> Option<&'static str> {
    PHRASES.iter().find(|(words, _)| words.contains(&word)).map(|(_, help)| *help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_can_be_found() {
        let all: Vec<_> = words().collect();
        assert!(all.is_sorted(), "{all:?}");
        assert_eq!(meant("length"), ["len"]);
        assert!(meant("len").is_empty());
    }
}
