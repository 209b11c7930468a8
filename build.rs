//! Has the binary and its tests find libtorch without `LD_LIBRARY_PATH`: where it was linked,
//! and beside the binary.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Set by torch-sys, which is there only with the feature `torch`.
    if let Ok(folder) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
        println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN");
    }
}
