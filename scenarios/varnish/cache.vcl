vcl 4.1;
backend origin {
    .host = "127.0.0.1";
    .port = "{port.origin}";
}
sub vcl_recv {
    if (local.socket == "passing") {
        return (pass);
    }
}
