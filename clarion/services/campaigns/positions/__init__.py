"""What the association stands for: its Action Agenda, and its positions on bills, regulations and ballot measures."""
