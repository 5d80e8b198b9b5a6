//! Files and folders are copied from the controller with mode, owner and time.

use serde_json::json;

use crate::support::real_engine::{Pod, sh};

/// Makes what is copied, in a volume of the controller: its image has no shell.
const MAKE: &str = "cd /from && mkdir -p tree/sub && echo content >tree/sub/file && ln -s sub/file tree/link
    chown 1000:1001 tree/sub/file && chmod 4750 tree/sub/file && touch -d @1000000000 tree/sub/file
    chown 7:8 tree/sub && chmod 711 tree/sub && touch -d @1200000000 tree/sub
    chown 8:9 tree && touch -d @1300000000 tree";

#[test]
fn a_folder_and_a_file_are_in_their_places_before_the_component_starts() {
    let look =
        "cd /new && stat -c '%n %a %u:%g %Y' tree tree/sub tree/sub/file file; readlink tree/link; cat tree/link file";
    let ended = Pod::new()
        .options("--volume /from")
        .init(&[sh(MAKE)])
        .component("app", sh(look))
        .label("pod.copy.app", json!({"/from/tree": "/new/tree", "/from/tree/sub/file": "/new/file"}))
        .flags("-logs -volumes")
        .end();
    let wanted = [
        "tree 755 8:9 1300000000",
        "tree/sub 711 7:8 1200000000",
        "tree/sub/file 4750 1000:1001 1000000000",
        "file 4750 1000:1001 1000000000",
        "sub/file",
        "content",
        "content",
    ];
    let wanted = wanted.map(|line| format!("[out] app: {line}"));
    assert_eq!(ended.out().lines().collect::<Vec<_>>(), wanted, "{}", ended.err());
}
