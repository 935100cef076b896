"""What all machines share: the messages between them, MQTT, rules, web servers, config and clocks."""
