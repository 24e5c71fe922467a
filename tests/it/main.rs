//! The program through its front door, in one process, without a registry.
