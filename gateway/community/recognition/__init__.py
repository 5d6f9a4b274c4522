"""Mutual recognition of exam results (检查检验结果互认): does an earlier result answer this order?"""
