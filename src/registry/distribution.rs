//! The driver of the CNCF distribution registry: dockpass is its token server.
