"""Stage `import`: step labels made elsewhere become data sets of the store."""
