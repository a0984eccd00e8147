"""dramatiq as the doorbell, and the sweeper that rings where a doorbell was lost."""
