"""Import of second-generation records (二代证数据导入): envelope → reading → checking → merging → report."""
