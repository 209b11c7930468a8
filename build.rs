//! Has `kosmos-torch` find libtorch without `LD_LIBRARY_PATH`: where it was linked, and beside the executable.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Set by torch-sys, which is there only with the feature `torch`.
    if let Ok(folder) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        for path in [&*folder, "$ORIGIN"] {
            println!("cargo:rustc-link-arg-bin=kosmos-torch=-Wl,-rpath,{path}");
        }
    }
}
