"""What lies on a disk, behind one face: folders, zips and tars, text in any encoding, LMDB files, and indices over them."""
