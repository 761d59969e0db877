"""Making what goes onto boards, and fetching what is needed to: compilers, libraries."""
