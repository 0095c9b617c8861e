"""zhengka (证卡): the third-generation smart disability certificate card, from registration to the gate."""
