from otp_auth.cli import main

main()
