// Runs only where the page itself cannot: in browsers without modules.
document.getElementById("old").removeAttribute("hidden");
