// Show the edition in this folder in a browser: what start.cmd compiles with the compiler that is part
// of Windows. Does what serve.py does, for a PC without Python: answers this machine only, and only
// with files of its folder. Written for C# 3, which the oldest of them understands.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;

static class Serve
{
    const int Longest = 8192; // bytes of a request that is read

    static readonly Dictionary<string, string> Types = new Dictionary<string, string> {
        { ".html", "text/html; charset=utf-8" }, { ".css", "text/css" }, { ".js", "text/javascript" },
        { ".mjs", "text/javascript" }, { ".svg", "image/svg+xml" }, { ".png", "image/png" },
        { ".webmanifest", "application/manifest+json" },
    };

    // Name in an address -> file. What was not in the folder at the start is not answered.
    static readonly Dictionary<string, string> Files = new Dictionary<string, string>();

    static int Main(string[] given)
    {
        string folder = Path.GetFullPath(given[0]).TrimEnd(Path.DirectorySeparatorChar);
        foreach (string file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
            Files[file.Substring(folder.Length).Replace(Path.DirectorySeparatorChar, '/')] = file;
        int port = given.Length > 1 ? int.Parse(given[1]) : 8080;
        TcpListener listener = new TcpListener(IPAddress.Loopback, port);
        try { listener.Start(); }
        catch (SocketException)
        {
            // What is kept belongs to this very port: another would show none of it.
            Console.WriteLine("Port " + port + " is in use. Is it open already? http://localhost:" + port + "/");
            return 1;
        }
        string address = "http://localhost:" + ((IPEndPoint)listener.LocalEndpoint).Port + "/";
        Console.WriteLine(address + " - Ctrl+C to end");
        if (given.Length < 2) Process.Start(address);
        while (true)
        {
            TcpClient client = listener.AcceptTcpClient();
            new Thread(delegate() { Handle(client); }).Start();
        }
    }

    static void Handle(TcpClient client)
    {
        try
        {
            client.ReceiveTimeout = client.SendTimeout = 30000;
            using (NetworkStream stream = client.GetStream())
                Answer(stream, Read(stream).Split('\n')[0].Trim().Split(' '));
        }
        catch (IOException) { } // the browser went away
        finally { client.Close(); }
    }

    static string Read(Stream stream)
    {
        StringBuilder read = new StringBuilder();
        while (read.Length < Longest)
        {
            int next = stream.ReadByte();
            if (next < 0) break;
            read.Append((char)next);
            if (next == '\n' && read.ToString().EndsWith("\r\n\r\n")) break;
        }
        return read.ToString();
    }

    static void Answer(Stream stream, string[] asked)
    {
        bool head = asked[0] == "HEAD";
        string name = asked.Length == 3 && (head || asked[0] == "GET") ? asked[1].Split('?')[0] : "";
        string file, type;
        if (!Files.TryGetValue(name == "/" ? "/index.html" : name, out file))
        {
            Write(stream, "404 Not Found", "text/plain", new byte[0], head);
            return;
        }
        if (!Types.TryGetValue(Path.GetExtension(file), out type)) type = "application/octet-stream";
        Write(stream, "200 OK", type, File.ReadAllBytes(file), head);
    }

    static void Write(Stream stream, string status, string type, byte[] content, bool head)
    {
        string lines = "HTTP/1.1 " + status + "\r\nContent-Type: " + type + "\r\nContent-Length: " + content.Length
            + "\r\nCache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n";
        byte[] start = Encoding.ASCII.GetBytes(lines);
        stream.Write(start, 0, start.Length);
        if (!head) stream.Write(content, 0, content.Length);
    }
}
