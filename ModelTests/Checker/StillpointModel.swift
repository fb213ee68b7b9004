// The model checker: what stands here comes with its first commits.
